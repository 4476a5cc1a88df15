/**
 * Remarks and answers. On a document that is read: a pin at every value and file of whoever may remark, and a mark where
 * something was remarked. On a form: each remark stands at its field, and its answer is kept while one fills in the rest.
 * Everything is a plain form underneath; this sends it without leaving the page, where other words may be half written.
 */

const panel = document.querySelector("[data-remarks]");
const list = panel?.querySelector("[data-remark-list]");
const dialog = document.getElementById("remark-dialog");
const filling = document.querySelector("form.declaration-form");
const KEEPS_AFTER_MS = 1500;

if (panel) {
  if (dialog) addPins();
  place();
}

/* ---- pins ---- */

function addPins() {
  for (const target of document.querySelectorAll("[data-field], [data-attachment]")) {
    if (target.closest("form, dialog, [data-remarks]") || !isPinned(target)) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "remark-pin";
    const label = labelOf(target);
    button.title = panel.dataset.textPin.replace("{label}", label);
    button.setAttribute("aria-label", button.title);
    button.innerHTML = '<i class="ti ti-map-pin" aria-hidden="true"></i>';
    button.addEventListener("click", () => write(target, label, button));
    holderOf(target).append(button);
  }
  panel.querySelector("[data-remark-new]")?.addEventListener("click", (event) => write(null, "", event.currentTarget));
}

/** A row of a table has one pin, not one in each cell; a table as a whole none. */
function isPinned(target) {
  if (target.matches("td")) return false;
  return target.matches("tr") || !target.querySelector("[data-field]");
}

function holderOf(target) {
  if (target.matches("tr")) return target.cells[0];
  return target.querySelector(".datagrid-title") ?? target;
}

function labelOf(target) {
  if (target.dataset.attachment) return target.querySelector("a")?.textContent.trim() ?? "";
  if (target.matches("tr")) {
    const box = target.closest(".table-responsive");
    const before = box?.previousElementSibling;
    const table = before?.matches(".datagrid-title, h4") ? before : box?.closest("section")?.querySelector("h4");
    const words = [...target.cells].slice(1).map((cell) => cell.textContent.trim()).find((text) => text && text !== "—" && Number.isNaN(Number(text)));
    return [table?.firstChild?.textContent.trim(), target.cells[0].textContent.trim(), words].filter(Boolean).join(" · ");
  }
  return target.querySelector(".datagrid-title")?.firstChild?.textContent.trim() ?? target.textContent.trim().slice(0, 80);
}

function valueOf(target) {
  const content = target.querySelector(".datagrid-content, .detail-text");
  return content ? content.textContent.trim().slice(0, 200) : "";
}

let opener = null;

function write(target, label, button) {
  const form = dialog.querySelector("form");
  opener = button;
  form.elements.namedItem("field").value = target?.dataset.field ?? "";
  form.elements.namedItem("attachment").value = target?.dataset.attachment ?? "";
  form.elements.namedItem("label").value = label.slice(0, 200);
  const about = dialog.querySelector("[data-remark-about]");
  about.dataset.whole ??= about.textContent;
  about.textContent = label || about.dataset.whole;
  dialog.querySelector("[data-remark-value]").textContent = target ? valueOf(target) : "";
  dialog.querySelector("[data-remark-error]").hidden = true;
  dialog.showModal();
  form.elements.namedItem("text").focus();
}

dialog?.addEventListener("close", () => opener?.focus());

/* ---- where remarks stand ---- */

function find(item) {
  const { aboutField: field, aboutAttachment: file } = item.dataset;
  // On a form cards of files are drawn anew and rows come and go; what one writes stands below them and stays.
  if (filling && file) return document.querySelector("[data-attachments]")?.parentElement ?? null;
  if (filling && field?.includes(".")) return document.querySelector(`[data-rows="${CSS.escape(field.split(".")[0])}"]`);
  const name = file ? `[data-attachment="${CSS.escape(file)}"]` : field && `[data-field="${CSS.escape(field)}"]`;
  return name ? [...document.querySelectorAll(name)].find((found) => !found.closest("[data-remarks]")) ?? null : null;
}

function place() {
  document.querySelectorAll(".remark-here, .remark-mark").forEach((old) => old.remove());
  for (const item of list.querySelectorAll("[data-remark]")) {
    const target = find(item);
    if (!target) continue;
    if (filling) {
      if (item.dataset.state === "SETTLED") continue;
      item.classList.add("remark-here");
      const box = document.createElement("div");
      box.className = item.className;
      box.append(...item.childNodes);
      box.id = item.id;
      box.dataset.remark = item.dataset.remark;
      item.remove();
      target.append(box);
    } else {
      const mark = document.createElement("a");
      mark.className = "remark-mark badge bg-orange-lt";
      if (item.dataset.state === "ANSWERED") mark.className = "remark-mark badge bg-blue-lt";
      if (item.dataset.state === "SETTLED") mark.className = "remark-mark badge bg-green-lt";
      mark.href = `#${item.id}`;
      mark.textContent = item.querySelector(".badge")?.textContent ?? "";
      holderOf(target).append(mark);
    }
  }
  warnBeforeSubmitting();
}

function warnBeforeSubmitting() {
  if (!filling) return;
  const open = list.querySelector("[data-unanswered]")?.dataset.unanswered;
  for (const button of document.querySelectorAll('button[name="intent"][value="submit"]')) {
    if (open) button.dataset.confirm = panel.dataset.textUnanswered.replace("{labels}", open);
    else delete button.dataset.confirm;
  }
}

// Asked once and answered, the question is not asked again when the form saves itself and goes on by itself.
document.getElementById("confirm-dialog")?.addEventListener("close", ({ currentTarget }) => {
  if (currentTarget.returnValue !== "ok") return;
  const asked = currentTarget.querySelector(".confirm-dialog-text")?.textContent;
  for (const button of document.querySelectorAll('button[name="intent"][value="submit"]')) {
    if (button.dataset.confirm === asked) delete button.dataset.confirm;
  }
});

/* ---- sending without leaving the page ---- */

async function send(form, body, said) {
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" }, credentials: "same-origin" });
    const reply = await answer.json();
    if (answer.ok) return reply;
    const texts = Object.values(reply.errors ?? {}).flat();
    said(texts.join(" ") || reply.message);
  } catch {
    said(panel.dataset.textFailed);
  }
  return null;
}

function show(reply) {
  panel.querySelector("[data-remark-problem]").hidden = true;
  const focused = document.activeElement?.id;
  list.innerHTML = reply.panel;
  place();
  const count = list.querySelectorAll(".remark:not(.remark-settled)").length + document.querySelectorAll(".remark-here").length;
  const told = panel.querySelector("[data-remark-open]");
  if (told) told.textContent = told.textContent.replace(/\d+/, String(count));
  if (focused) document.getElementById(focused)?.focus();
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.hasAttribute("data-remark-form")) return;
  event.preventDefault();
  if (form.hasAttribute("data-remark-answers")) {
    await keep();
    return;
  }
  const error = form.querySelector("[data-remark-error]");
  const reply = await send(form, new FormData(form), (text) => {
    const place = error ?? panel.querySelector("[data-remark-problem]");
    place.textContent = text;
    place.hidden = false;
  });
  if (!reply) return;
  if (form.closest("dialog")) {
    form.elements.namedItem("text").value = "";
    form.closest("dialog").close();
  }
  show(reply);
});

/* ---- answers: kept while one writes, all at once, and before the form itself is sent ---- */

let timer = 0;
let keeping = null;
let dirty = new Set();

document.addEventListener("input", (event) => {
  if (!event.target.matches?.("textarea[name^='answer.']")) return;
  event.stopPropagation();
  dirty.add(event.target.name);
  clearTimeout(timer);
  // In review every sending tells the reviewers; there one presses the button.
  if (filling) timer = setTimeout(() => keep(false), KEEPS_AFTER_MS);
}, true);

async function keep(redraw = true) {
  clearTimeout(timer);
  if (keeping) await keeping;
  const form = document.getElementById("remark-answers");
  if (!form) return true;
  const sent = new Set(dirty);
  keeping = send(form, new FormData(form), (text) => {
    for (const name of sent) sayAt(name, text, true);
  });
  const reply = await keeping;
  keeping = null;
  if (!reply) return false;
  dirty = new Set([...dirty].filter((name) => !sent.has(name)));
  if (redraw && dirty.size === 0) show(reply);
  else refreshWarning(reply);
  for (const name of sent) sayAt(name, reply.message, false);
  return true;
}

function refreshWarning(reply) {
  const fresh = document.createElement("div");
  fresh.innerHTML = reply.panel;
  for (const box of document.querySelectorAll(".remark-here")) {
    const head = fresh.querySelector(`#${CSS.escape(box.id)} .remark-head`);
    if (head) box.querySelector(".remark-head").replaceWith(head);
  }
  const before = list.querySelector("[data-unanswered]");
  const now = fresh.querySelector("[data-unanswered]");
  if (before && now) before.replaceWith(now);
  else before?.remove();
  warnBeforeSubmitting();
}

function sayAt(name, text, failed) {
  const place = document.querySelector(`textarea[name="${CSS.escape(name)}"]`)?.closest(".remark-write")?.querySelector("[data-remark-said]");
  if (!place) return;
  place.textContent = text;
  place.classList.toggle("text-red", failed);
}

let letThrough = false;

window.addEventListener("submit", async (event) => {
  if (event.target !== filling || !dirty.size || letThrough) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const { submitter } = event;
  if (!(await keep(false))) return;
  letThrough = true;
  filling.requestSubmit(submitter ?? undefined);
  letThrough = false;
}, true);
