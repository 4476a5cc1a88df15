/** Live figures: each line, their sum in digits and capitals, and whether requested = lines = funding. */

import { formatYuan, inWords, lineAmount, parseQuantity, parseYuan } from "./amounts.js";
import { element, icon, say } from "./texts.js";

const sum = (amounts) => amounts.reduce((total, amount) => total + (amount ?? 0n), 0n);

function group(input) {
  const cents = parseYuan(input.value);
  if (cents !== null) input.value = formatYuan(cents);
}

/** Amounts stand on the page as on paper, 31,900.00, once one leaves the field. */
export function groupAmounts(form) {
  form.querySelectorAll("[data-money]").forEach(group);
  form.addEventListener("focusout", (event) => { if (event.target.matches?.("[data-money]")) group(event.target); });
}

export class Totals {
  constructor(form, tables) {
    this.form = form;
    this.lines = tables.get("budget_lines");
    this.splits = tables.get("funding_splits");
    this.indicators = tables.get("indicators");
    this.requested = form.elements.requested_amount;
    this.threshold = BigInt(form.dataset.threshold);
    this.lastLines = this.linesTotal();
    this.lastRequested = parseYuan(this.requested.value);
    form.addEventListener("click", (event) => {
      if (event.target.closest("[data-take-total]")) this.takeTotal();
    });
    this.update();
  }

  linesTotal() {
    return sum(this.lines.rows.map((row) => this.lineOf(row)));
  }

  lineOf(row) {
    return lineAmount(parseQuantity(this.lines.value(row, "quantity")), parseYuan(this.lines.value(row, "unit_price")));
  }

  splitsTotal() {
    return sum(this.splits.rows.map((row) => parseYuan(this.splits.value(row, "amount"))));
  }

  /** After any change on the page. */
  update() {
    const total = this.linesTotal();
    this.follow(total);
    const requested = parseYuan(this.requested.value);
    this.followSplit(requested);
    for (const row of this.lines.rows) {
      const amount = this.lineOf(row);
      row.querySelector("[data-line-amount]").textContent = amount === null ? "—" : formatYuan(amount);
    }
    this.show("lines", formatYuan(total));
    this.show("lines-words", total ? inWords(total) : "—");
    this.show("requested-words", requested ? inWords(requested) : "");
    this.show("splits", formatYuan(this.splitsTotal()));
    this.showWeights();
    this.showBalance("lines", total, requested, "lines_differ", true);
    this.showBalance("splits", this.splitsTotal(), requested, "splits_differ", false);
    for (const hint of this.form.querySelectorAll("[data-threshold-hint]")) {
      hint.hidden = (requested ?? total) < this.threshold;
    }
    this.lastLines = total;
    this.lastRequested = requested;
  }

  /** The requested amount goes with the lines' total until somebody types another one. */
  follow(total) {
    const typed = this.requested.value.trim();
    if (total !== this.lastLines && total > 0n && (typed === "" || parseYuan(typed) === this.lastLines)) {
      this.requested.value = formatYuan(total);
    }
  }

  /** A single funding channel carries the whole amount until somebody types another one. */
  followSplit(requested) {
    const chosen = this.splits.rows.filter((row) => this.splits.value(row, "channel") !== "");
    if (chosen.length !== 1 || requested === null) return;
    const amount = this.splits.control(chosen[0], "amount");
    const now = parseYuan(amount.value);
    if (amount.value.trim() === "" || (requested !== this.lastRequested && now !== null && now === this.lastRequested)) {
      if (document.activeElement !== amount) amount.value = formatYuan(requested);
    }
  }

  takeTotal() {
    this.requested.value = formatYuan(this.linesTotal());
    this.requested.dispatchEvent(new Event("input", { bubbles: true }));
    this.requested.focus();
  }

  showWeights() {
    const weights = this.indicators.rows.map((row) => parseYuan(this.indicators.value(row, "weight")));
    const used = weights.some((weight) => weight !== null);
    this.show("weights", used ? formatYuan(sum(weights)) : "—");
    const off = used && sum(weights) !== 10_000n;
    this.form.querySelector('[data-total="weights"]')?.classList.toggle("text-orange", off);
  }

  show(name, text) {
    const place = this.form.querySelector(`[data-total="${name}"]`);
    if (place) place.textContent = text;
  }

  showBalance(name, total, requested, key, offer) {
    const place = this.form.querySelector(`[data-balance="${name}"]`);
    const differs = total > 0n && requested !== null && total !== requested;
    place.hidden = !differs;
    if (!differs) return;
    const values = {
      total: formatYuan(total),
      requested: formatYuan(requested),
      difference: formatYuan(total > requested ? total - requested : requested - total),
    };
    const text = say(key, values);
    // drawn anew only when it changes: a button must not vanish between press and release
    if (place.dataset.text === text) return;
    place.dataset.text = text;
    place.replaceChildren(icon("alert-triangle"), " ", element("span", "", text));
    if (offer) {
      const button = element("button", "btn btn-sm ms-2", say("take_total"));
      button.type = "button";
      button.dataset.takeTotal = "";
      place.append(button);
    }
  }
}
