/**
 * Filling in a declaration. The page works without this script; with it totals are live, rows are edited in
 * place, files go up with their progress, and what is typed is kept on the server by itself.
 */

import { Attachments } from "./declaration/attachments.js";
import { Autosave, typedEarly } from "./declaration/autosave.js";
import { Rows } from "./declaration/rows.js";
import { Similar } from "./declaration/similar.js";
import { element, icon, say } from "./declaration/texts.js";
import { groupAmounts, Totals } from "./declaration/totals.js";

const TICKS = { ok: ["circle-check", "green"], missing: ["circle", "secondary"], wrong: ["alert-circle", "red"] };

const form = document.getElementById("declaration-form");
if (form) start();

function start() {
  const typed = typedEarly(form); // before anything below changes a value
  form.classList.add("with-script");
  const tables = new Map();
  for (const box of form.querySelectorAll("[data-rows]")) {
    tables.set(box.dataset.rows, new Rows(box, () => changed()));
  }
  groupAmounts(form);
  // other kinds reckon in a script of their own, which listens for "form:changed"
  const totals = tables.has("budget_lines") ? new Totals(form, tables) : null;
  const autosave = new Autosave(form, { answered, told, conflicted, typed });
  const attachments = new Attachments(form.querySelector("[data-attachments]"), form, {
    ready: () => autosave.flush(),
    changed: refresh,
  });

  const similar = form.querySelector("[data-similar]");
  if (similar) new Similar(form, similar, document.getElementById("similar-dialog"));

  function changed() {
    totals?.update();
    form.dispatchEvent(new CustomEvent("form:changed"));
    autosave.changed();
  }

  form.addEventListener("input", (event) => { if (event.target.type !== "file") changed(); });
  form.addEventListener("change", (event) => { if (event.target.type !== "file") changed(); });

  // Enter in a field neither sends the form nor presses one of its many buttons
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("input:not([type=file])")) event.preventDefault();
  });

  form.addEventListener("submit", (event) => send(event));
  let ready = false;
  async function send(event) {
    if (ready) return;
    event.preventDefault();
    event.stopPropagation();
    const button = event.submitter;
    if (button?.name === "remove_attachment") {
      attachments.remove(button);
      return;
    }
    button?.setAttribute("aria-busy", "true");
    await autosave.idle();
    // a form that is still telling its listeners takes no new order
    await new Promise((resolve) => { setTimeout(resolve); });
    button?.removeAttribute("aria-busy");
    ready = true;
    form.requestSubmit(button);
    ready = false;
  }
  window.addEventListener("pageshow", () => autosave.resume());

  // A refused form answers under the address it was sent to; reloading shall show the draft it was kept in.
  if (form.dataset.draft && form.getAttribute("action") !== window.location.pathname) {
    window.history.replaceState(null, "", form.getAttribute("action"));
  }

  // The buttons of the shell (language, log out) leave the page: what was typed last goes to the server first.
  let flushed = false;
  document.addEventListener("submit", async (event) => {
    if (flushed || !event.target.closest(".app-header") || event.target.method !== "post" || !autosave.pending) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    await autosave.flush().catch(() => {}); // what cannot be kept makes the browser ask before it leaves
    flushed = true;
    event.target.requestSubmit(event.submitter ?? undefined);
    flushed = false;
  }, true);

  /* ---- what the server says after a save ---- */

  // What is wrong with the field one types in is said when one leaves it.
  let errors = null;
  form.addEventListener("focusout", () => setTimeout(() => {
    if (errors) showMessages("field-error", "alert-circle", errors, true);
  }));

  function answered(reply) {
    if (reply.id && !form.dataset.draft) adopt(reply);
    if (reply.chapters) showChapters(reply.chapters);
    if (reply.head) form.querySelector("[data-form-head]").innerHTML = reply.head; // our own template, escaped by the server
    if (reply.required) showRequired(new Set(reply.required));
    if (reply.errors) {
      errors = reply.errors;
      showMessages("field-error", "alert-circle", errors, true);
    }
    if (reply.warnings) showMessages("field-warning", "alert-triangle", reply.warnings, false);
    if (reply.findings !== undefined) document.querySelector("[data-rule-findings]").innerHTML = reply.findings; // our own template
    attachments.redraw(reply.attachments);
  }

  /** The new form has become a draft: from now on this page is that draft's, also when reloaded. */
  function adopt(reply) {
    form.dataset.draft = String(reply.id);
    form.dataset.autosave = reply.urls.autosave;
    form.dataset.state = reply.urls.state;
    form.action = reply.urls.form;
    window.history.replaceState(null, "", reply.urls.form);
    const preview = document.querySelector("[data-preview]");
    preview.href = reply.urls.preview;
    preview.hidden = false;
  }

  async function refresh() {
    try {
      const answer = await fetch(form.dataset.state + (form.dataset.tried === undefined ? "" : "?tried=1"), { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (answer.ok) answered(await answer.json());
    } catch {
      told("failed", say("server_unreachable"));
    }
  }

  function told(state, text) {
    const badge = document.querySelector("[data-save-state]");
    if (state === "typing") return;
    const bad = state === "failed" || state === "conflict";
    badge.textContent = state === "failed" ? text : `${badge.dataset.state} · ${text}`;
    badge.classList.remove("bg-red-lt", `bg-${badge.dataset.colour}-lt`);
    badge.classList.add(bad ? "bg-red-lt" : `bg-${badge.dataset.colour}-lt`);
    const notice = document.querySelector("[data-save-notice]");
    if (state === "failed") showNotice(text);
    else if (state !== "saving") notice?.remove();
  }

  function showNotice(text) {
    let notice = document.querySelector("[data-save-notice]");
    if (!notice) {
      notice = element("div", "alert alert-danger save-notice");
      notice.dataset.saveNotice = "";
      notice.setAttribute("role", "alert");
      document.querySelector("[data-notices]").append(notice);
    }
    if (notice.dataset.text === text) return;
    notice.dataset.text = text;
    notice.replaceChildren(icon("cloud-off"), " ", text);
  }

  /* ---- somebody else changed it ---- */

  function conflicted(reply) {
    if (reply.closed) close(reply.closed);
    const box = document.querySelector("[data-notices]");
    box.insertAdjacentHTML("afterbegin", reply.conflict); // our own template, escaped by the server
    box.querySelector("#conflict")?.focus();
    bindConflict(reply.version);
  }

  /** It takes no more text: the page must not look as if it could still be saved or submitted. */
  function close({ state, colour }) {
    const badge = document.querySelector("[data-save-state]");
    badge.textContent = state;
    badge.className = `badge bg-${colour}-lt ms-2`;
    document.querySelectorAll("button[name=intent][form=declaration-form], #declaration-form button[name=intent]:not(noscript *)").forEach((button) => button.remove());
  }

  function bindConflict(version) {
    document.querySelector("[data-keep-mine]")?.addEventListener("click", (event) => {
      event.preventDefault();
      document.getElementById("conflict").remove();
      document.querySelector("[data-save-notice]")?.remove();
      autosave.keepMine(version);
    });
  }
  bindConflict(form.elements.version.value);

  /* ---- ticks, required marks, messages ---- */

  function showChapters(chapters) {
    for (const { key, state, text } of chapters) {
      const tick = document.querySelector(`[data-chapter="${key}"] [data-tick]`);
      const [name, colour] = TICKS[state];
      const mark = icon(name);
      mark.classList.add(`text-${colour}`);
      tick.replaceChildren(mark, element("span", "visually-hidden", text));
    }
  }

  function showRequired(required) {
    for (const box of form.querySelectorAll("[data-field]")) {
      const label = box.querySelector(":scope > .form-label, :scope > fieldset > .form-label, [data-required-mark]");
      const mark = label?.dataset.requiredMark === undefined ? "required" : "required-mark";
      label?.classList.toggle(mark, required.has(box.dataset.field));
    }
  }

  /** The control, or the box of a table or a group, that a path such as budget_lines.2.unit_price names. */
  function placeOf(path) {
    const [name, index, column] = path.split(".");
    const table = tables.get(name);
    if (!table) return { control: form.querySelector(`#${CSS.escape(path)}`), box: form.querySelector(`[data-field="${path}"]`) };
    // The server numbers the rows in which something is filled in.
    const row = index === undefined ? null : table.filled[Number(index)];
    const control = row && column ? table.control(row, column) : null;
    return { control, box: control?.parentElement ?? table.notice.nextElementSibling };
  }

  function showMessages(css, mark, messages, invalid) {
    const focused = document.activeElement;
    for (const old of form.querySelectorAll(`.${css}:not([data-attachment-problem])`)) {
      const box = old.parentElement;
      if (invalid && box.contains(focused) && focused.matches("input, textarea")) continue;
      if (invalid) box.querySelectorAll("[aria-invalid]").forEach((control) => clear(control));
      box.classList.remove("has-error");
      old.remove();
    }
    for (const [path, texts] of Object.entries(messages)) {
      const { control, box } = placeOf(path);
      if (!box || (control && control === focused) || path.startsWith("attachments.")) continue;
      const message = element("div", css);
      message.id = `${path.replaceAll(".", "-")}-${invalid ? "error" : "warning"}`;
      for (const text of texts) {
        const line = element("div");
        line.append(icon(mark), text);
        message.append(line);
      }
      const hint = box.querySelector(":scope > .form-hint");
      if (hint) hint.before(message);
      else box.append(message);
      if (control && invalid) {
        control.classList.add("is-invalid");
        control.setAttribute("aria-invalid", "true");
        control.setAttribute("aria-describedby", message.id);
      }
    }
  }

  function clear(control) {
    control.classList.remove("is-invalid");
    control.removeAttribute("aria-invalid");
    control.removeAttribute("aria-describedby");
  }

  // a line of the error summary leads into its field
  document.getElementById("error-summary")?.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const target = link && document.getElementById(link.getAttribute("href").slice(1));
    if (!target) return;
    event.preventDefault();
    target.scrollIntoView({ block: "center" });
    if (target.tomselect) target.tomselect.focus();
    else target.focus({ preventScroll: true });
  });

  followScroll();
  if (typed) changed();
}

/** The chapter one reads is marked in the list of chapters. */
function followScroll() {
  const links = new Map([...document.querySelectorAll("[data-chapter]")].map((link) => [link.dataset.chapter, link]));
  const seen = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) seen.add(target);
      else seen.delete(target);
    }
    const first = [...document.querySelectorAll(".form-chapter")].find((chapter) => seen.has(chapter));
    if (!first) return;
    for (const [key, link] of links) {
      const now = first.id === `chapter-${key}`;
      if (now && !link.classList.contains("active")) link.parentElement.scrollTo?.({ left: link.offsetLeft - 24 });
      link.classList.toggle("active", now);
      if (now) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }, { rootMargin: "-15% 0px -55% 0px" });
  document.querySelectorAll(".form-chapter").forEach((chapter) => watcher.observe(chapter));
}
