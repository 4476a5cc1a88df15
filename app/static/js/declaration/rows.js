/**
 * Tables of rows edited in the page: add, delete, move, and paste from Excel. Without this script the same
 * buttons are sent to the server, which answers with the form as it was typed and the rows changed.
 *
 * A table is <div data-rows="name" data-most="200"> with <table> of one <tbody data-row> a row, and a
 * <template> of an empty one. A control's name is table.number.column; numbers follow the order on the page.
 */

import { element, say } from "./texts.js";

const CONTROLS = "input[name], select[name], textarea[name]";

export class Rows {
  constructor(box, changed) {
    this.box = box;
    this.name = box.dataset.rows;
    this.most = Number(box.dataset.most);
    this.table = box.querySelector("table");
    this.template = box.querySelector("template");
    this.notice = box.querySelector("[data-rows-notice]");
    this.columns = [...box.querySelectorAll("thead [data-column]")].map((cell) => ({
      name: cell.dataset.column,
      label: cell.textContent.trim(),
      computed: cell.hasAttribute("data-computed"),
    }));
    this.changed = changed;
    box.addEventListener("click", (event) => this.clicked(event));
    box.addEventListener("paste", (event) => this.pasted(event));
    box.addEventListener("change", (event) => this.narrow(event.target));
    this.rows.forEach((row) => this.narrow(row.querySelector("[data-narrows]")));
    this.renumber();
  }

  get rows() {
    return [...this.table.querySelectorAll("tbody[data-row]")];
  }

  /** The rows the server will count: those in which something is filled in. */
  get filled() {
    return this.rows.filter((row) => [...row.querySelectorAll(CONTROLS)].some((control) => control.value.trim() !== ""));
  }

  control(row, column) {
    return row.querySelector(`[data-cell="${column}"]`);
  }

  value(row, column) {
    return this.control(row, column)?.value ?? "";
  }

  clicked(event) {
    const button = event.target.closest("button[name=rows], button[data-rows-tool]");
    if (!button) return;
    event.preventDefault();
    const row = button.closest("tbody[data-row]");
    switch (button.dataset.rowsTool) {
      case "add": {
        const made = this.add();
        if (made) made.querySelector(CONTROLS).focus();
        break;
      }
      case "drop": this.drop(row); break;
      case "up": this.move(row, -1, button); break;
      case "down": this.move(row, 1, button); break;
      case "more": this.more(row, button); return;
      case "paste": this.openPaste(); return;
      default: return;
    }
    this.changed();
  }

  add() {
    if (this.rows.length >= this.most) {
      this.tell(say("rows_full", { most: this.most }));
      return null;
    }
    const made = this.template.content.firstElementChild.cloneNode(true);
    const last = this.rows.at(-1);
    if (last) last.after(made);
    else this.table.tHead.after(made);
    this.renumber();
    return made;
  }

  drop(row) {
    const next = row.nextElementSibling?.matches("tbody[data-row]") ? row.nextElementSibling : this.rows.at(-2);
    row.remove();
    if (this.rows.length === 0) this.add();
    this.renumber();
    (next?.isConnected ? next : this.rows[0])?.querySelector(CONTROLS)?.focus();
    this.tell(say("row_dropped"));
  }

  move(row, step, button) {
    const rows = this.rows;
    const other = rows[rows.indexOf(row) + step];
    if (!other) return;
    if (step < 0) other.before(row);
    else other.after(row);
    this.renumber();
    button.focus();
  }

  more(row, button) {
    const open = row.classList.toggle("open");
    button.setAttribute("aria-expanded", String(open));
    if (open) row.querySelector(".row-more")?.querySelector(CONTROLS)?.focus();
  }

  renumber() {
    this.rows.forEach((row, index) => {
      row.querySelectorAll(CONTROLS).forEach((control) => {
        control.name = `${this.name}.${index}.${control.dataset.cell}`;
        control.id = `${this.name}-${index}-${control.dataset.cell}`;
        const error = control.parentElement.querySelector(".field-error");
        if (error) {
          error.id = `${control.id}-error`;
          control.setAttribute("aria-describedby", error.id);
        }
      });
      row.querySelectorAll("label[data-for]").forEach((label) => {
        label.htmlFor = `${this.name}-${index}-${label.dataset.for}`;
      });
      const number = row.querySelector("[data-row-number]");
      if (number) number.textContent = String(index + 1);
    });
  }

  /** A choice narrows the choices of the next column: <select data-narrows="level2"> over <option data-parent>. */
  narrow(control) {
    if (!control?.dataset?.cell) return;
    const row = control.closest("tbody[data-row]");
    if (control.dataset.narrows) {
      const target = this.control(row, control.dataset.narrows);
      for (const option of target.options) {
        const fits = !control.value || !option.dataset.parent || option.dataset.parent === control.value;
        option.hidden = option.disabled = !fits;
      }
      if (target.selectedOptions[0]?.disabled) target.value = "";
    } else if (control.tagName === "SELECT") {
      const parent = control.selectedOptions[0]?.dataset.parent;
      const upper = row?.querySelector(`[data-narrows="${control.dataset.cell}"]`);
      if (parent && upper && !upper.value) upper.value = parent;
    }
  }

  /* ---- pasting from Excel: cells by tabs, rows by lines ---- */

  pasted(event) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    const control = event.target.closest("[data-cell]");
    if (!control || control.tagName === "TEXTAREA" || !/[\t\n]/.test(text.replace(/\r?\n$/, ""))) return;
    event.preventDefault();
    this.fill(cells(text), control.closest("tbody[data-row]"), control.dataset.cell);
  }

  openPaste() {
    const dialog = document.getElementById("paste-dialog");
    const box = dialog.querySelector("textarea");
    dialog.querySelector("[data-paste-columns]").textContent = this.columns.map((column) => column.label).join(" | ");
    box.value = "";
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      if (dialog.returnValue === "ok" && box.value.trim()) this.fill(cells(box.value), null, this.columns[0].name);
    }, { once: true });
    dialog.showModal();
    box.focus();
  }

  /** Puts a block of cells into the table from one cell on; `from` null means behind the last filled row. */
  fill(block, from, firstColumn) {
    let columns = this.columns.slice(this.columns.findIndex((column) => column.name === firstColumn));
    const heading = this.headed(block[0]);
    if (heading) {
      columns = heading;
      block = block.slice(1);
    }
    let at = from ? this.rows.indexOf(from) : this.rows.indexOf(this.filled.at(-1)) + 1;
    let taken = 0;
    const odd = [];
    for (const texts of block) {
      const row = this.rows[at] ?? this.add();
      if (!row) break;
      columns.forEach((column, index) => {
        const text = texts[index]?.trim();
        if (column && !column.computed && text !== undefined && !this.put(row, column.name, text)) {
          odd.push(say("paste_odd", { row: at + 1, column: column.label, text }));
        }
      });
      at += 1;
      taken += 1;
    }
    const told = [say("pasted", { count: taken })];
    if (taken < block.length) told.push(say("rows_full", { most: this.most }));
    this.tell([...told, ...odd].join("\n"), odd.length > 0 || taken < block.length);
    this.changed();
  }

  /** The columns a first line names, when it is a heading. */
  headed(texts) {
    const byLabel = new Map(this.columns.map((column) => [squeeze(column.label), column]));
    const found = texts.map((text) => byLabel.get(squeeze(text)) ?? null);
    return found.filter(Boolean).length >= Math.min(2, this.columns.length) ? found : null;
  }

  put(row, column, text) {
    const control = this.control(row, column);
    if (control.tagName !== "SELECT") {
      control.value = control.type === "date" ? isoDay(text) : text;
      if (control.closest(".row-more") && text) row.classList.add("open");
      return control.value !== "" || text === "";
    }
    const wanted = squeeze(text);
    const option = [...control.options].find((candidate) =>
      candidate.value === text || (wanted && [candidate.textContent, candidate.dataset.label ?? ""].some((label) => squeeze(label) === wanted)));
    control.value = option?.value ?? "";
    this.narrow(control);
    return option !== undefined || text === "";
  }

  tell(text, warning = false) {
    this.notice.replaceChildren(...text.split("\n").map((line) => element("div", "", line)));
    this.notice.classList.toggle("text-orange", warning);
    this.notice.hidden = false;
  }
}

/** Excel's clipboard text as rows of cells; a cell in quotes may hold line breaks and doubled quotes. */
export function cells(text) {
  const rows = [[]];
  const pattern = /(?:"((?:[^"]|"")*)"(?=[\t\r\n]|$)|([^\t\r\n]*))(\t|\r\n|\r|\n|$)/gy;
  const source = text.replace(/(\r\n|\r|\n)+$/, "");
  for (let match = pattern.exec(source); match; match = pattern.exec(source)) {
    rows.at(-1).push(match[1] === undefined ? match[2] : match[1].replaceAll('""', '"').replace(/\s*[\r\n]+\s*/g, " "));
    if (match[3] === "") break;
    if (match[3] !== "\t") rows.push([]);
  }
  return rows.filter((row) => row.some((cell) => cell.trim() !== ""));
}

const squeeze = (text) => text.replace(/[\s*()（）元%]/g, "").toLowerCase();

function isoDay(text) {
  const match = /^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?$/.exec(text);
  return match ? `${match[1]}-${match[2].padStart(2, "0")}-${match[3].padStart(2, "0")}` : "";
}
