/** A document's page: printing, and a tab that an address names (#pane-files). */

document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));

// what stands above the tabs may open one of them
document.querySelectorAll("[data-shows-tab]").forEach((opener) => opener.addEventListener("click", (event) => {
  const tab = document.getElementById(opener.dataset.showsTab);
  if (!tab) return;
  event.preventDefault();
  tab.click();
  tab.scrollIntoView({ block: "nearest" });
  tab.focus({ preventScroll: true });
}));

const named = [...document.querySelectorAll('[role="tab"]')].find((tab) => tab.getAttribute("href") === window.location.hash);
if (named) window.addEventListener("load", () => named.click());
if (new URLSearchParams(window.location.search).has("print")) window.addEventListener("load", () => window.print());

// A refused dialog comes back open, filled in; the review panel opens its own.
document.querySelectorAll("dialog[data-reopen]:not(#person-dialog)").forEach((dialog) => dialog.showModal());
