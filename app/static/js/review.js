/**
 * The review panel: saved opinions by one click, the opinion and its files kept on the server while one writes,
 * dialogs for whatever needs a step or a colleague, keys for those who have forty to do. Deciding itself is a
 * plain form.
 */

import { pickPeople } from "./people.js";
import { OpinionFiles } from "./review_files.js";

const SAVES_AFTER_MS = 1200;
const form = document.getElementById("review-form");
const opinion = document.getElementById("opinion");

// A refused attempt answers under the address it was sent to; reloading shall show the task, not send it again.
const page = document.querySelector("[data-task-page]")?.dataset.taskPage;
if (page && window.location.pathname !== page) window.history.replaceState(null, "", page);

/* ---- saved opinions ---- */

document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-opinion]");
  if (!chip || !opinion) return;
  const text = chip.textContent.trim();
  opinion.value = opinion.value.trim() ? `${opinion.value.trimEnd()}\n${text}` : text;
  opinion.dispatchEvent(new Event("input", { bubbles: true }));
  opinion.focus();
});

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open-tab]");
  if (!opener) return;
  event.preventDefault();
  const tab = document.getElementById(opener.dataset.openTab);
  tab?.click();
  tab?.scrollIntoView({ block: "start" });
});

/* ---- on a phone: one line that opens ---- */

document.querySelector("[data-panel-toggle]")?.addEventListener("click", (event) => {
  const open = event.currentTarget.closest(".review-panel").classList.toggle("open");
  event.currentTarget.setAttribute("aria-expanded", String(open));
});

/* ---- keys ---- */

document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
  const digit = /^Digit([1-9])$/.exec(event.code);
  const target = digit
    ? document.querySelectorAll("[data-opinion]")[digit[1] - 1]
    : document.querySelector({ KeyN: "[data-next]", KeyP: "[data-previous]", KeyR: "[data-return]", KeyO: "#opinion" }[event.code] ?? "none");
  if (!target) return;
  event.preventDefault();
  if (target === opinion) target.focus();
  else target.click();
});

if (form && opinion) panel();

function panel() {
  const state = form.querySelector("[data-save-state]");
  const error = document.getElementById("opinion-error");
  let kept = opinion.value;
  let timer = 0;
  let saving = null;

  /* ---- keeping the opinion ---- */

  function tell(text, failed = false) {
    state.textContent = text;
    state.classList.toggle("text-red", failed);
  }

  async function save() {
    clearTimeout(timer);
    if (saving) await saving;
    if (opinion.value === kept) return;
    saving = send(opinion.value);
    await saving;
    saving = null;
  }

  async function send(text) {
    const body = new FormData();
    for (const name of ["csrf_token", "version"]) body.set(name, form.elements.namedItem(name).value);
    body.set("opinion", text);
    try {
      const answer = await fetch(form.dataset.save, {
        method: "POST", body, headers: { Accept: "application/json" }, credentials: "same-origin",
      });
      const reply = await answer.json();
      if (answer.ok) {
        kept = text;
        document.querySelectorAll("form[data-review] input[name=version]").forEach((input) => { input.value = reply.version; });
        tell(reply.saved_text);
      } else {
        tell(reply.message, true);
      }
    } catch {
      tell(form.dataset.textFailed, true);
      timer = setTimeout(save, 10 * SAVES_AFTER_MS);
    }
  }

  opinion.addEventListener("input", () => {
    error.hidden = true;
    opinion.classList.remove("is-invalid");
    clearTimeout(timer);
    timer = setTimeout(save, SAVES_AFTER_MS);
  });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") save(); });

  /* ---- before anything is sent: the opinion is kept, so that the version in the form is the present one ---- */

  const box = form.querySelector("[data-files]");
  const files = box ? new OpinionFiles(box, form) : null;
  let waiting = false;
  window.addEventListener("submit", async (event) => {
    const sent = event.target;
    if (!(sent instanceof HTMLFormElement) || !sent.hasAttribute("data-review")) return;
    if (event.submitter?.hasAttribute("data-needs-opinion") && !written()) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    const copy = sent.querySelector("[data-opinion-copy]");
    if (copy) copy.value = opinion.value;
    clearTimeout(timer);
    if (!saving && !files?.busy && opinion.value === kept) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (waiting) return;
    waiting = true;
    const refused = await files?.settled();
    if (refused) {
      waiting = false;
      return; // a file was not taken: the reviewer decides whether to go on without it
    }
    await save();
    kept = opinion.value; // also where it could not be kept: the decision itself carries it
    waiting = false;
    sent.requestSubmit(event.submitter ?? undefined);
  }, true);

  opinion.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.querySelector("[data-approve]")?.click();
    }
  });

  function written() {
    if (opinion.value.trim()) return true;
    error.textContent = form.dataset.textRequired;
    error.hidden = false;
    opinion.classList.add("is-invalid");
    opinion.focus();
    return false;
  }

  /* ---- dialogs ---- */

  const people = document.querySelector("select[data-people]");
  const picker = people && window.TomSelect ? pickPeople(people, { most: 20, asked: () => ({ verb: chosenVerb() }) }) : null;

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (!opener) return;
    if (opener.hasAttribute("data-needs-opinion") && !written()) return;
    const dialog = document.getElementById(opener.dataset.opens);
    if (opener.dataset.chooses) {
      dialog.querySelector(`input[name=verb][value="${opener.dataset.chooses}"]`).checked = true;
      showSigner(dialog);
      picker?.clearOptions();
    }
    const echo = dialog.querySelector("[data-opinion-echo]");
    if (echo) echo.textContent = opinion.value;
    opener.closest("details.pop")?.removeAttribute("open");
    dialog.showModal();
    if (opener.dataset.chooses) picker?.focus();
  });

  function chosenVerb() {
    return document.querySelector("#person-dialog input[name=verb]:checked")?.value ?? "";
  }

  function showSigner(dialog) {
    const box = dialog.querySelector("[data-for-signer]");
    if (box) box.hidden = chosenVerb() !== "add_signer";
    // A copy goes to as many as one likes, everything else to one; and not everybody may do everything.
    if (picker) picker.settings.maxItems = chosenVerb() === "copy_to" ? 20 : 1;
  }
  document.getElementById("person-dialog")?.addEventListener("change", (event) => {
    if (event.target.name !== "verb") return;
    showSigner(event.currentTarget);
    picker?.clear(true);
    picker?.clearOptions();
    picker?.load("");
  });
  const reopened = document.querySelector("dialog[data-reopen]");
  if (reopened) {
    showSigner(reopened);
    reopened.showModal();
  }
}
