/** A document's page: printing, and a tab that an address names (#pane-files). */

document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));

const named = [...document.querySelectorAll('[role="tab"]')].find((tab) => tab.getAttribute("href") === window.location.hash);
if (named) window.addEventListener("load", () => named.click());
if (new URLSearchParams(window.location.search).has("print")) window.addEventListener("load", () => window.print());
