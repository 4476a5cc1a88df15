/** A reviewer's direct edit: rows in place and live totals, as in the unit's own form, but nothing saves itself. */

import { Rows } from "./declaration/rows.js";
import { Totals } from "./declaration/totals.js";

const form = document.getElementById("declaration-form");

if (form) {
  form.classList.add("with-script");
  const tables = new Map();
  let totals = null;
  for (const box of form.querySelectorAll("[data-rows]")) {
    tables.set(box.dataset.rows, new Rows(box, () => totals?.update()));
  }
  totals = new Totals(form, tables);
  totals.update();
  form.addEventListener("input", () => totals.update());
  form.addEventListener("change", () => totals.update());
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input:not([type=file])")) event.preventDefault();
  });

  let changed = false;
  let sent = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { sent = true; });
  window.addEventListener("beforeunload", (event) => { if (changed && !sent) event.preventDefault(); });
}
