/** The list page: choosing rows, the menu of a row, the column dialog, the check-box selects of the search form. */

const list = document.querySelector("[data-list]");

/* ---- choosing rows ---- */

const boxes = list ? [...list.querySelectorAll('input[name="rowid"]')] : [];
const everyBox = list?.querySelector("[data-select-all]");
const bar = list?.querySelector("[data-bulk-bar]");

function showChosen() {
  const chosen = boxes.filter((box) => box.checked);
  boxes.forEach((box) => box.closest("tr").classList.toggle("selected", box.checked));
  if (everyBox) {
    everyBox.checked = boxes.length > 0 && chosen.length === boxes.length;
    everyBox.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
  }
  if (bar) {
    bar.hidden = chosen.length === 0;
    bar.querySelector("[data-bulk-count]").textContent = String(chosen.length);
  }
}

function chooseAll(checked) {
  boxes.forEach((box) => { box.checked = checked; });
  showChosen();
}

if (boxes.length > 0) {
  let last = null;
  boxes.forEach((box, index) => box.addEventListener("click", (event) => {
    if (event.shiftKey && last !== null) {
      const [from, to] = [Math.min(last, index), Math.max(last, index)];
      boxes.slice(from, to + 1).forEach((other) => { other.checked = box.checked; });
    }
    last = index;
    showChosen();
  }));
  everyBox?.addEventListener("change", () => chooseAll(everyBox.checked));
  bar?.querySelector("[data-bulk-clear]").addEventListener("click", () => chooseAll(false));
  window.addEventListener("pageshow", showChosen);
}

/* ---- the menu of a row: placed against the window, because the table scrolls inside its card ---- */

function place(pop) {
  const panel = pop.querySelector(".pop-menu");
  const anchor = pop.querySelector("summary").getBoundingClientRect();
  pop.classList.add("floating");
  const { offsetWidth: width, offsetHeight: height } = panel;
  const below = anchor.bottom + 4 + height <= window.innerHeight;
  panel.style.left = `${Math.max(8, anchor.right - width)}px`;
  panel.style.top = `${below ? anchor.bottom + 4 : Math.max(8, anchor.top - height - 4)}px`;
}
list?.addEventListener("toggle", (event) => {
  if (event.target.open && event.target.classList.contains("row-menu")) place(event.target);
}, true);

function closeRowMenus() {
  list?.querySelectorAll(".row-menu[open]").forEach((pop) => { pop.open = false; });
}
window.addEventListener("scroll", closeRowMenus, { passive: true, capture: true });
window.addEventListener("resize", closeRowMenus);

// arrow keys inside an open menu, as in any menu of the system
list?.addEventListener("keydown", (event) => {
  const pop = event.target.closest(".row-menu[open]");
  if (!pop || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
  event.preventDefault();
  const items = [...pop.querySelectorAll("a, button")];
  const at = items.indexOf(document.activeElement);
  const step = event.key === "ArrowDown" ? 1 : -1;
  items[at < 0 ? 0 : (at + step + items.length) % items.length]?.focus();
});

/* ---- columns ---- */

document.querySelector("[data-column-list]")?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-column-move]");
  if (!button) return;
  const item = button.closest("li");
  if (button.dataset.columnMove === "-1") item.previousElementSibling?.before(item);
  else item.nextElementSibling?.after(item);
  button.focus();
});

/* ---- check-box selects: the closed box says what is chosen ---- */

for (const box of document.querySelectorAll("[data-checks]")) {
  const summary = box.querySelector("summary");
  box.addEventListener("change", () => {
    const labels = [...box.querySelectorAll("input:checked")].map((input) => input.parentElement.textContent.trim());
    summary.textContent = labels.join(", ") || summary.dataset.checksEmpty;
  });
}
