/**
 * What every page needs: side menu on narrow screens, `/` for the search box, pop-up menus, messages, dialogs,
 * the question before a dangerous action, and the guard against double clicks. Pages work without it.
 */

const $ = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/* ---- side menu and search on narrow screens ---- */

const menu = $("#app-menu");
const menuButton = $("[data-menu-open]");

function showMenu(open) {
  if (!menu) return;
  menu.classList.toggle("open", open);
  menuButton?.setAttribute("aria-expanded", String(open));
  (open ? $("[data-menu-close]", menu) : menuButton)?.focus();
}
menuButton?.addEventListener("click", () => showMenu(true));
all("[data-menu-close]").forEach((element) => element.addEventListener("click", () => showMenu(false)));

const searchForm = $("#app-search");
const searchButton = $("[data-search-open]");

function showSearch(open) {
  searchForm?.classList.toggle("open", open);
  searchButton?.setAttribute("aria-expanded", String(open));
  if (open) $("[data-global-search]")?.focus();
}
searchButton?.addEventListener("click", () => showSearch(!searchForm.classList.contains("open")));

const isTyping = (target) => target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !isTyping(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey && searchForm) {
    event.preventDefault();
    showSearch(true);
  }
  if (event.key === "Escape") {
    if (menu?.classList.contains("open")) showMenu(false);
    if (searchForm?.classList.contains("open")) showSearch(false);
    closePops(null, true);
  }
});

/* ---- <details class="pop">: one open at a time, closed by Escape and by a click elsewhere ---- */

function closePops(except, refocus = false) {
  for (const pop of all("details.pop[open]")) {
    if (pop === except || pop.contains(except)) continue;
    const hadFocus = pop.contains(document.activeElement);
    pop.open = false;
    if (refocus && hadFocus) $("summary", pop)?.focus();
  }
}
document.addEventListener("click", (event) => closePops(event.target.closest("details.pop")));
document.addEventListener("toggle", (event) => {
  const pop = event.target;
  if (pop instanceof HTMLDetailsElement && pop.classList.contains("pop") && pop.open) closePops(pop);
}, true);

/* ---- messages ---- */

const FADES_AFTER_MS = 6000;

function removeToast(toast) {
  toast.classList.add("leaving");
  setTimeout(() => toast.remove(), 400);
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-toast-close]");
  if (button) removeToast(button.closest(".app-toast"));
});
all("[data-toast-fades]").forEach((toast) => setTimeout(() => {
  if (!toast.matches(":hover, :focus-within")) removeToast(toast);
}, FADES_AFTER_MS));

/* ---- dialogs ---- */

document.addEventListener("click", (event) => {
  // what an entry of a menu opens or shows is read with the menu closed
  if (event.target.closest(".pop-menu [data-dialog-open], .pop-menu [data-print], .pop-menu a[href^='#']")) closePops(null, true);
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) document.getElementById(opener.dataset.dialogOpen)?.showModal();
  const closer = event.target.closest("[data-dialog-close]");
  if (closer) closer.closest("dialog")?.close();
});

/* ---- the question before an action, then the guard against sending it twice ---- */

const confirmDialog = $("#confirm-dialog");
const confirmed = new WeakSet();
let sending = new WeakSet();
let busyButtons = [];

function ask(text, verb) {
  return new Promise((resolve) => {
    $(".confirm-dialog-text", confirmDialog).textContent = text;
    const ok = $("[data-verb]", confirmDialog);
    ok.textContent = verb || ok.dataset.verb;
    confirmDialog.returnValue = "";
    const opener = document.activeElement;
    confirmDialog.addEventListener("close", () => {
      giveBack(opener);
      resolve(confirmDialog.returnValue === "ok");
    }, { once: true });
    confirmDialog.showModal();
    ok.focus();
  });
}

/** Focus goes back to what opened a dialog; an entry of a menu that has closed meanwhile stands behind its button. */
function giveBack(opener) {
  const pop = opener?.closest("details.pop");
  (pop && !pop.open ? $("summary", pop) : opener)?.focus();
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const button = event.submitter;
  if (form.method === "dialog") return;
  const text = button?.dataset.confirm ?? form.dataset.confirm;
  if (text && !confirmed.has(form) && confirmDialog) {
    event.preventDefault();
    event.stopImmediatePropagation();
    const verb = button?.dataset.confirmVerb ?? form.dataset.confirmVerb ?? button?.textContent.trim();
    if (!(await ask(text, verb))) return;
    confirmed.add(form);
    form.requestSubmit(button ?? undefined);
    confirmed.delete(form);
  }
}, true);

document.addEventListener("submit", (event) => {
  const form = event.target;
  // data-repeat: a POST that answers with a file leaves the page standing and may be sent again
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("data-repeat") || event.submitter?.hasAttribute("data-repeat")) return;
  if (sending.has(form)) {
    event.preventDefault();
    return;
  }
  sending.add(form);
  const button = event.submitter;
  if (!button) return;
  // after the browser has collected the values: a disabled button would not send its own
  setTimeout(() => {
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
    busyButtons.push(button);
  });
});

// Back from the next page (the browser may show this page as it was left): everything can be sent again.
window.addEventListener("pageshow", () => {
  for (const button of busyButtons) {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
  busyButtons = [];
  sending = new WeakSet();
});

/* ---- small helpers by attribute ---- */

// A search form sends only the conditions that were filled in: short addresses that can be passed on.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-trim-empty")) return;
  const empty = [...form.elements].filter((element) => element.name && element.value === "" && !element.disabled);
  empty.forEach((element) => { element.disabled = true; });
  setTimeout(() => empty.forEach((element) => { element.disabled = false; }));
});
document.addEventListener("change", (event) => {
  if (event.target.hasAttribute("data-submit-on-change")) event.target.form?.requestSubmit();
});
$("[data-focus]")?.focus();

// A page may change its address (a new form becomes a draft): whatever leads back to it follows.
const opened = window.location.href;
document.addEventListener("submit", (event) => {
  const back = $("[data-here]", event.target);
  if (back && window.location.href !== opened) back.value = window.location.pathname + window.location.search;
});

/* ---- where each list was left in this window (views/places.py): its cookie speaks for the window in front ---- */

const PLACES = "places";

function readPlaces(text) {
  try { return JSON.parse(text) ?? {}; } catch { return {}; }
}

function tellPlaces() {
  const kept = sessionStorage.getItem(PLACES);
  if (kept && document.visibilityState === "visible") document.cookie = `${PLACES}=${encodeURIComponent(kept)}; path=/; SameSite=Lax`;
}
if ($("[data-list]")) {
  const places = readPlaces(sessionStorage.getItem(PLACES));
  delete places[window.location.pathname];
  if (window.location.search) places[window.location.pathname] = window.location.search.slice(1);
  sessionStorage.setItem(PLACES, JSON.stringify(Object.fromEntries(Object.entries(places).slice(-8))));
}
tellPlaces();
document.addEventListener("visibilitychange", tellPlaces);
