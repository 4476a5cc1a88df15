/**
 * While a title is typed: which projects of any unit it resembles. A hint only; when the server has no
 * answer, nothing is said and nothing is lost.
 */

import { icon, say } from "./texts.js";

const AFTER_TYPING_MS = 500;
const SHORTEST = 4;

export class Similar {
  /** `box` is the live region below the title, `dialog` shows the passages side by side. */
  constructor(form, box, dialog) {
    Object.assign(this, { form, box, dialog, title: form.elements.title });
    this.asked = "";
    this.title.addEventListener("input", () => this.schedule());
    box.addEventListener("click", (event) => {
      if (event.target.closest("button")) dialog.showModal();
    });
    if (this.title.value.trim().length >= SHORTEST) this.schedule();
  }

  schedule() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), AFTER_TYPING_MS);
  }

  async ask() {
    const title = this.title.value.trim();
    if (title === this.asked) return;
    this.asked = title;
    this.pending?.abort();
    if (title.length < SHORTEST) {
      this.show({ summary: "", html: "" });
      return;
    }
    this.pending = new AbortController();
    const query = new URLSearchParams({ title });
    if (this.form.dataset.draft) query.set("declaration", this.form.dataset.draft);
    try {
      const answer = await fetch(`${this.box.dataset.similar}?${query}`, {
        headers: { Accept: "application/json" }, credentials: "same-origin", signal: this.pending.signal,
      });
      if (answer.ok) this.show(await answer.json());
      else this.asked = "";
    } catch {
      this.asked = "";
    }
  }

  show({ summary, html }) {
    if (!summary) {
      this.box.replaceChildren();
      return;
    }
    const opener = document.createElement("button");
    opener.type = "button";
    opener.textContent = say("similar_compare");
    this.box.replaceChildren(icon("alert-triangle"), ` ${summary} `, opener);
    const body = this.dialog.querySelector("[data-similar-body]");
    body.innerHTML = html; // our own template, escaped by the server
  }
}
