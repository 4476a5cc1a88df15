/**
 * The list page: choosing rows, sorting by several columns, the menu of a row, the column dialog, the search form's
 * small helps, and where the list was left (views/places.py). Units and keys have modules of their own.
 */

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
  if (!bar) return;
  bar.hidden = chosen.length === 0;
  const offer = bar.querySelector("[data-bulk-all]");
  const every = offer?.querySelector("input");
  if (offer) offer.hidden = chosen.length < boxes.length;
  if (every && offer.hidden) every.checked = false;
  bar.querySelector("[data-bulk-count]").textContent = every?.checked ? every.parentElement.textContent.trim() : String(chosen.length);
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
  bar?.querySelector("[data-bulk-all] input")?.addEventListener("change", showChosen);
  bar?.querySelector("[data-bulk-clear]").addEventListener("click", () => chooseAll(false));
  window.addEventListener("pageshow", showChosen);
}

/* ---- sorting: Shift or Ctrl adds a column to the order, turns it round, and then drops it ---- */

const MOST_KEYS = 5;

function sortedAlso(key) {
  const keys = list.dataset.sort.split(",").filter(Boolean);
  const at = keys.findIndex((each) => each.replace(/^-/, "") === key);
  if (at < 0) keys.push(key);
  else if (keys[at] === key) keys[at] = `-${key}`;
  else keys.splice(at, 1);
  return keys.slice(-MOST_KEYS).join(",");
}
list?.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-sort-key]");
  if (!link || !(event.shiftKey || event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  const address = new URL(window.location.href);
  const sort = sortedAlso(link.dataset.sortKey);
  address.searchParams.delete("page");
  address.hash = "";
  if (sort) address.searchParams.set("sort", sort);
  else address.searchParams.delete("sort");
  window.location.assign(address);
});

/* ---- the menu of a row: its entries stand once below the table, and the row says which of them it has ---- */

const entries = [...(list?.querySelector("template[data-row-menu]")?.content.children ?? [])];

function menuOf(link) {
  const pop = document.createElement("details");
  pop.className = "pop row-menu";
  const summary = document.createElement("summary");
  summary.ariaLabel = link.ariaLabel;
  const panel = document.createElement("div");
  panel.className = "pop-menu";
  for (const number of link.dataset.menu.split(" ")) {
    const entry = entries[number].cloneNode(true);
    const name = entry.tagName === "A" ? "href" : "formaction";
    entry.setAttribute(name, entry.getAttribute(name).replaceAll("{id}", link.closest("tr").id.slice(1)));
    panel.append(entry);
  }
  pop.append(summary, panel);
  return pop;
}
list?.querySelectorAll("a.row-menu").forEach((link) => link.replaceWith(menuOf(link)));

/* ---- it is placed against the window, because the table scrolls inside its card ---- */

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

/* ---- on a phone a row is a card (app.css): each cell says what it is, and what is empty is left out ---- */

const narrow = window.matchMedia("(max-width: 767.98px)");

function label() {
  if (!narrow.matches) return;
  for (const table of document.querySelectorAll(".stacks")) {
    const names = [...table.tHead.rows[0].cells].map((cell) => (cell.querySelector("a")?.firstChild ?? cell).textContent.trim());
    for (const cell of table.querySelectorAll("td:not(.row-actions)")) {
      if (names[cell.cellIndex]) cell.dataset.label = names[cell.cellIndex];
      cell.classList.toggle("none", cell.textContent.trim() === "—");
    }
  }
}
label();
narrow.addEventListener("change", label);

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

/* ---- ranges: a named stretch asks at once; it and typed ends do not mix ---- */

document.addEventListener("change", (event) => {
  if (!event.target.hasAttribute("data-stretch") || event.target.value === "") return;
  event.target.closest(".range").querySelectorAll("input").forEach((input) => { input.value = ""; });
  event.target.form.requestSubmit();
});
document.addEventListener("input", (event) => {
  const stretch = event.target.closest(".range")?.querySelector("[data-stretch]");
  if (stretch && event.target !== stretch) stretch.value = "";
});

/* ---- where the list was left: the row that was opened, and how far the page was scrolled ---- */

const leftAt = `list:${window.location.pathname}${window.location.search}`;

function noteRow(event) {
  const row = event.target.closest?.("tbody tr[id]");
  const leads = event.target.closest?.("a[href], button[formaction]");
  if (row && leads) sessionStorage.setItem(leftAt, JSON.stringify({ row: row.id, top: window.scrollY }));
}
list?.addEventListener("click", noteRow, true);
list?.addEventListener("auxclick", noteRow, true);

function showPlace() {
  const left = JSON.parse(sessionStorage.getItem(leftAt) ?? "null");
  const named = window.location.hash.slice(1);
  const row = list?.querySelector(`tr[id="${CSS.escape(named || left?.row || "")}"]`);
  row?.classList.add("returned");
  if (left && row && (!named || named === left.row)) window.scrollTo(0, left.top);
  else row?.scrollIntoView({ block: "center" });
}
if (list) {
  showPlace();
  // the browser itself scrolls to the row of the address once the page has loaded
  if (window.location.hash) window.addEventListener("load", () => requestAnimationFrame(showPlace));
}
