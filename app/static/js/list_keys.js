/**
 * Keys on a list: j and k from row to row, Enter opens, x ticks, m opens the row's menu, f the search form, [ and ] the
 * pages, ? the help. Never while somebody types or a dialog is open, and they can be switched off for this computer.
 */

const list = document.querySelector("[data-list]");
const help = document.getElementById("keys-dialog");
const toggle = help?.querySelector("[data-keys-switch]");
const OFF = "list.keys.off";

const isTyping = (target) => target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest(".ts-wrapper");
const rows = () => [...list.querySelectorAll("tbody tr")];
const present = () => document.activeElement?.closest?.("[data-list] tbody tr");

function go(step) {
  const all = rows();
  if (all.length === 0) return;
  const from = all.indexOf(present() ?? list.querySelector("tr.returned"));
  const row = all[Math.max(0, Math.min(all.length - 1, from < 0 ? (step > 0 ? 0 : all.length - 1) : from + step))];
  row.tabIndex = -1;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function follow(selector) {
  list.querySelector(selector)?.click();
}

const keys = {
  j: () => go(1),
  k: () => go(-1),
  x: () => present()?.querySelector('input[name="rowid"]')?.click(),
  m: () => {
    const menu = present()?.querySelector(".row-menu");
    if (!menu) return;
    menu.open = true;
    menu.querySelector("a, button")?.focus();
  },
  f: () => document.querySelector("#list-search .search-grid input:not([type=hidden]), #list-search .search-grid select")?.focus(),
  "[": () => follow('a[rel="prev"]'),
  "]": () => follow('a[rel="next"]'),
  "?": () => help?.showModal(),
};
const onRow = {
  ArrowDown: () => go(1),
  ArrowUp: () => go(-1),
  Enter: () => document.activeElement.querySelector("td a[href], td button[formaction]")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (!list || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]") || localStorage.getItem(OFF)) return;
  const isRow = event.target.matches?.("[data-list] tbody tr");
  const act = keys[event.key] ?? (isRow ? onRow[event.key] : undefined);
  if (!act) return;
  event.preventDefault();
  act();
});

if (toggle) {
  toggle.checked = !localStorage.getItem(OFF);
  toggle.addEventListener("change", () => {
    if (toggle.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
}
