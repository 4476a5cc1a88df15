/** Moves the cards of a list by their handles, with mouse, pen or finger: the card follows, the others make room. */

export class Dragging {
  constructor(list, { started, ended }) {
    this.list = list;
    this.started = started;
    this.ended = ended;
    list.addEventListener("pointerdown", (event) => this.grab(event));
  }

  grab(event) {
    const handle = event.target.closest("[data-handle]");
    if (!handle || event.button !== 0) return;
    const card = handle.closest("[data-step]");
    const from = this.order();
    let active = false;
    const move = (moveEvent) => {
      if (!active && Math.abs(moveEvent.clientY - event.clientY) < 4) return;
      if (!active) {
        active = true;
        card.classList.add("dragging");
        this.started();
      }
      this.place(card, moveEvent.clientY);
    };
    const end = () => {
      handle.removeEventListener("pointermove", move);
      handle.removeEventListener("pointerup", end);
      handle.removeEventListener("pointercancel", end);
      if (!active) return;
      card.classList.remove("dragging");
      this.ended(card, this.order().some((one, index) => one !== from[index]));
    };
    handle.setPointerCapture(event.pointerId);
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", end);
    handle.addEventListener("pointercancel", end);
  }

  order() {
    return [...this.list.querySelectorAll(":scope > [data-step]")];
  }

  /** The others make room for the card; it stays in the document itself, or the pointer would be lost. */
  place(card, y) {
    const middle = (other) => {
      const box = other.getBoundingClientRect();
      return box.top + box.height / 2;
    };
    while (card.previousElementSibling && y < middle(card.previousElementSibling)) card.after(card.previousElementSibling);
    while (card.nextElementSibling && y > middle(card.nextElementSibling)) card.before(card.nextElementSibling);
    const edge = 60;
    if (y < edge) window.scrollBy(0, -12);
    else if (y > window.innerHeight - edge) window.scrollBy(0, 12);
  }
}
