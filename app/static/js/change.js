/** A change request's form: after each save the fields that differ from the project are marked. */

const head = document.querySelector("[data-form-head]");

function mark() {
  const changed = new Set((head.querySelector("[data-changed]")?.dataset.changed ?? "").split(","));
  for (const pair of document.querySelectorAll("[data-pair]")) {
    pair.classList.toggle("is-changed", changed.has(pair.dataset.pair));
  }
}

if (head) new MutationObserver(mark).observe(head, { childList: true });
