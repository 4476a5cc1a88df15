/**
 * The tree of units beside a list. Its boxes belong to the search form, so that it works without this: ticking and
 * searching. With it: a click on a name asks for that unit alone, branches open and close, the tree can be searched,
 * walked with the keys of a tree, hidden, and shows how many rows each unit has.
 */

const panel = document.querySelector("[data-units]");
const frame = panel?.closest(".list-frame");
const tree = panel?.querySelector(".unit-tree");
const apply = panel?.querySelector("[data-units-apply]");
const wide = window.matchMedia("(min-width: 1200px)");
const roomy = window.matchMedia("(min-width: 1600px)");
const YEAR = 365 * 24 * 3600;

const items = () => [...tree.querySelectorAll("li")];
const box = (item) => item.querySelector(":scope > label > input");
const branch = (item) => item.querySelector(":scope > ul");
const above = (item) => item.parentElement.closest("li");
const isSeen = (item) => !item.hidden && item.offsetParent !== null;

/* ---- drawing what only a script can use ---- */

function open(item, isOpen) {
  if (!branch(item)) return;
  item.classList.toggle("shut", !isOpen);
  item.setAttribute("aria-expanded", String(isOpen));
}

function prepare() {
  tree.setAttribute("role", "tree");
  tree.setAttribute("aria-multiselectable", "true");
  tree.querySelectorAll("ul").forEach((list) => list.setAttribute("role", "group"));
  for (const item of items()) {
    item.setAttribute("role", "treeitem");
    item.setAttribute("aria-selected", String(box(item).checked));
    item.setAttribute("aria-label", item.querySelector(":scope > label").textContent);
    item.tabIndex = -1;
    box(item).tabIndex = -1;
    if (!branch(item)) continue;
    open(item, !item.classList.contains("shut"));
    const toggle = document.createElement("button");
    toggle.type = "button";
    toggle.tabIndex = -1;
    toggle.className = "unit-toggle";
    toggle.title = tree.dataset.toggleText;
    toggle.setAttribute("aria-hidden", "true");
    item.prepend(toggle);
  }
  const first = tree.querySelector("input:checked")?.closest("li") ?? tree.querySelector("li");
  if (first) first.tabIndex = 0;
  tree.querySelector("input:checked")?.scrollIntoView({ block: "nearest" });
  showTicked();
}

function showTicked() {
  const ticked = items().filter((item) => box(item).checked);
  items().forEach((item) => item.setAttribute("aria-selected", String(box(item).checked)));
  const changed = items().some((item) => box(item).checked !== box(item).defaultChecked);
  apply.hidden = !changed;
  apply.disabled = ticked.length === 0 && !changed;
}

function ask() {
  document.getElementById("list-search").requestSubmit();
}

function askOnly(item) {
  items().forEach((other) => { box(other).checked = other === item; });
  ask();
}

/* ---- mouse ---- */

tree?.addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (event.target.classList.contains("unit-toggle")) open(item, item.classList.contains("shut"));
  else if (event.target.closest("label") && event.target.tagName !== "INPUT") {
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) {
      box(item).checked = !box(item).checked;
      showTicked();
    } else askOnly(item);
  }
});
tree?.addEventListener("change", showTicked);

/* ---- keys of a tree: arrows, Home, End, Space ticks, Enter asks for this unit (or for all that are ticked) ---- */

function focus(item) {
  if (!item) return;
  items().forEach((other) => { other.tabIndex = other === item ? 0 : -1; });
  item.focus();
}

tree?.addEventListener("keydown", (event) => {
  const item = event.target.closest("li");
  if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
  const seen = items().filter(isSeen);
  const at = seen.indexOf(item);
  const steps = {
    ArrowDown: () => focus(seen[at + 1]),
    ArrowUp: () => focus(seen[at - 1]),
    Home: () => focus(seen[0]),
    End: () => focus(seen.at(-1)),
    ArrowRight: () => (branch(item) && item.classList.contains("shut") ? open(item, true) : focus(branch(item)?.querySelector("li"))),
    ArrowLeft: () => (branch(item) && !item.classList.contains("shut") ? open(item, false) : focus(above(item))),
    " ": () => { box(item).checked = !box(item).checked; showTicked(); },
    Enter: () => (apply.hidden ? askOnly(item) : ask()),
  };
  if (!steps[event.key]) return;
  event.preventDefault();
  steps[event.key]();
});

/* ---- searching the tree: what matches, with the way to it ---- */

panel?.querySelector("[data-units-find]").addEventListener("input", (event) => {
  const text = event.target.value.trim().toLowerCase();
  const all = items();
  if (!text) {
    all.forEach((item) => { item.hidden = false; });
    return;
  }
  const matches = (item) => `${item.ariaLabel ?? ""} ${item.querySelector("label").title}`.toLowerCase().includes(text);
  const shown = new Set();
  for (const item of all.filter(matches)) for (let each = item; each; each = above(each)) shown.add(each);
  all.forEach((item) => {
    item.hidden = !shown.has(item);
    if (shown.has(item) && branch(item)) open(item, true);
  });
});
panel?.querySelector("[data-units-find]").addEventListener("keydown", (event) => {
  const first = items().filter(isSeen).find((item) => item.querySelector("label").title);
  if (event.key === "ArrowDown") { event.preventDefault(); focus(first); }
  if (event.key === "Enter") { event.preventDefault(); const found = items().filter((item) => isSeen(item) && !branch(item)); if (found.length === 1) askOnly(found[0]); else focus(first); }
});

/* ---- the column can be hidden, and comes over the page on narrow screens ---- */

const isShown = () => getComputedStyle(panel).display !== "none"; // the style sheet knows where there is room for it

function show(isOpen) {
  if (wide.matches) {
    frame.classList.toggle("units-shown", isOpen);
    frame.classList.toggle("units-hidden", !isOpen);
    document.cookie = `units=${isOpen ? "shown" : "hidden"}; path=/; max-age=${YEAR}; SameSite=Lax`;
  } else {
    frame.classList.toggle("units-open", isOpen);
    if (isOpen) panel.querySelector("[data-units-find]").focus();
  }
  tell();
  fill();
}

function tell() {
  document.querySelectorAll("[data-units-toggle][aria-controls]").forEach((button) => {
    button.setAttribute("aria-expanded", String(isShown()));
  });
}
if (panel) {
  document.querySelectorAll("[data-units-toggle]").forEach((button) => {
    button.addEventListener("click", () => show(!isShown()));
  });
  for (const width of [wide, roomy]) width.addEventListener("change", () => { tell(); fill(); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && frame.classList.contains("units-open")) {
      show(false);
      document.querySelector("[data-units-toggle][aria-controls]")?.focus();
    }
  });
}

/* ---- figures, and a tree that does not come with the page, are fetched when the tree is seen ---- */

let begun = false;

async function fetchTree() {
  const answer = await fetch(panel.dataset.tree, { credentials: "same-origin" });
  if (!answer.ok) return;
  tree.innerHTML = await answer.text();
  if (items().length < 2) {
    frame.classList.add("units-none"); // nothing to choose between
    document.querySelectorAll("[data-units-toggle]").forEach((button) => { button.hidden = true; });
  }
  prepare();
}

async function count() {
  const answer = await fetch(panel.dataset.counts, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) return;
  const figures = await answer.json();
  for (const item of items()) {
    const found = figures[box(item).value] ?? 0;
    item.classList.toggle("unit-empty", !found);
    if (!found) continue;
    const figure = document.createElement("span");
    figure.className = "unit-count";
    figure.textContent = found.toLocaleString("en");
    item.querySelector(":scope > label").append(figure);
  }
}

async function fill() {
  if (begun || !isShown()) return;
  begun = true;
  if (panel.dataset.tree) await fetchTree();
  await count();
}

if (panel) {
  if (!panel.dataset.tree) prepare();
  tell();
  fill();
}
