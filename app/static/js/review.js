/**
 * The review panel: saved opinions by one click, the opinion kept on the server while one writes, dialogs for
 * whatever needs a step or a colleague. Deciding itself is a plain form.
 */

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
    if (!saving && opinion.value === kept) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (waiting) return;
    waiting = true;
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
  const picker = people && window.TomSelect ? pick(people) : null;

  function pick(element) {
    return new window.TomSelect(element, {
      valueField: "id",
      labelField: "text",
      searchField: [],
      maxItems: 20,
      closeAfterSelect: true,
      placeholder: element.dataset.placeholder,
      hidePlaceholder: true,
      plugins: ["remove_button"],
      render: { no_results: () => { const box = document.createElement("div"); box.className = "no-results"; box.textContent = document.body.dataset.noResults; return box; } },
      load: (query, done) => {
        const address = new URL(element.dataset.people, window.location.origin);
        address.searchParams.set("q", query);
        fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" })
          .then((answer) => (answer.ok ? answer.json() : []))
          .then(done, () => done());
      },
      preload: "focus",
      onType() { this.clearOptions(); },
    });
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (!opener) return;
    if (opener.hasAttribute("data-needs-opinion") && !written()) return;
    const dialog = document.getElementById(opener.dataset.opens);
    if (opener.dataset.chooses) {
      dialog.querySelector(`input[name=verb][value="${opener.dataset.chooses}"]`).checked = true;
      showSigner(dialog);
    }
    const echo = dialog.querySelector("[data-opinion-echo]");
    if (echo) echo.textContent = opinion.value;
    opener.closest("details.pop")?.removeAttribute("open");
    dialog.showModal();
    if (opener.dataset.chooses) picker?.focus();
  });

  function showSigner(dialog) {
    const box = dialog.querySelector("[data-for-signer]");
    if (box) box.hidden = dialog.querySelector("input[name=verb]:checked")?.value !== "add_signer";
  }
  document.getElementById("person-dialog")?.addEventListener("change", (event) => showSigner(event.currentTarget));
  const reopened = document.querySelector("dialog[data-reopen]");
  if (reopened) {
    showSigner(reopened);
    reopened.showModal();
  }
}
