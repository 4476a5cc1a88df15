/**
 * The draft of a review flow: cards of steps that are dragged, moved by arrows, added, copied and removed; condition
 * rows whose controls follow the field; people in order. Control names carry keys without meaning, and the order
 * on the page is the order that counts, so that nothing is renumbered. Without this script the same buttons are sent
 * to the server, which answers with the form as typed and the steps changed.
 */

import { Dragging } from "./flow/drag.js";
import { addCondition, followField, showAmount } from "./flow/conditions.js";
import { addPerson, searchPeople } from "./flow/people.js";
import { showReturns, summarise } from "./flow/summary.js";

const form = document.getElementById("flow-form");
const list = form?.querySelector("[data-steps]");
const text = (name, values = {}) =>
  Object.entries(values).reduce((words, [key, value]) => words.replace(`{${key}}`, value), form.dataset[`text${name}`]);
const cards = () => [...list.querySelectorAll(":scope > [data-step]")];

let made = 0;
const newKey = () => `n${Date.now().toString(36)}${(made += 1)}`;
const newCode = () => `step_${[...crypto.getRandomValues(new Uint8Array(4))].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;

function announce(words) {
  form.querySelector("[data-announce]").textContent = words;
}

function dirty() {
  form.toggleAttribute("data-dirty", true);
  document.querySelector("[data-unsaved]").hidden = false;
}

/** Numbers, chips and the lists of earlier steps, after anything has changed. */
function refresh() {
  const all = cards();
  all.forEach((card, place) => {
    card.querySelector("[data-number]").textContent = String(place + 1);
    card.querySelector("[data-tool=up]").disabled = place === 0;
    card.querySelector("[data-tool=down]").disabled = place === all.length - 1;
    summarise(card, text);
    showReturns(card, all.slice(0, place));
  });
  form.querySelector("[data-no-steps]").hidden = all.length > 0;
  form.querySelector("[data-tool=add]").disabled = all.length >= Number(form.dataset.most);
}

function open(card, wanted) {
  card.classList.toggle("open", wanted);
  card.querySelector("[data-toggle]").setAttribute("aria-expanded", String(wanted));
}

function move(card, to, focus) {
  const all = cards();
  const place = Math.max(0, Math.min(all.length - 1, to));
  const at = all.indexOf(card);
  if (place === at) return;
  if (place < at) all[place].before(card);
  else all[place].after(card);
  moved(card);
  focus?.focus();
}

function moved(card) {
  dirty();
  refresh();
  announce(text("Moved", { place: cards().indexOf(card) + 1 }));
}

/** Gives every control of a card a key of its own. */
function rekey(card, key) {
  const old = card.dataset.step;
  const change = (value) => value.replaceAll(`steps.${old}.`, `steps.${key}.`).replaceAll(`steps-${old}-`, `steps-${key}-`);
  card.dataset.step = key;
  card.id = `step-${key}`;
  for (const element of card.querySelectorAll("*")) {
    for (const attribute of ["name", "id", "for", "aria-controls", "aria-describedby", "data-condition"]) {
      if (element.hasAttribute(attribute)) element.setAttribute(attribute, change(element.getAttribute(attribute)));
    }
  }
  card.querySelector("[data-code]").value = newCode();
}

function add() {
  const card = document.getElementById("new-step").content.firstElementChild.cloneNode(true);
  rekey(card, newKey());
  list.append(card);
  ready(card);
  open(card, true);
  dirty();
  refresh();
  card.querySelector("[data-field=name_zh] input").focus();
}

function copy(source) {
  // A copy of the marks alone: what Tom Select put around a select is left behind, what was typed is taken along.
  const card = source.cloneNode(true);
  card.querySelectorAll(".ts-wrapper").forEach((wrapper) => wrapper.remove());
  const controls = [...source.querySelectorAll("input, select")].filter((control) => !control.closest(".ts-wrapper"));
  const copies = [...card.querySelectorAll("input, select")];
  copies.forEach((control, index) => {
    control.classList.remove("tomselected", "ts-hidden-accessible");
    if (control.id.endsWith("-ts-control")) control.removeAttribute("id");
    if (control.type === "checkbox" || control.type === "radio") control.checked = controls[index].checked;
    else if (control.multiple) [...control.options].forEach((option) => { option.selected = [...controls[index].selectedOptions].some((chosen) => chosen.value === option.value); });
    else control.value = controls[index].value;
  });
  rekey(card, newKey());
  source.after(card);
  ready(card);
  open(card, true);
  dirty();
  refresh();
  const name = card.querySelector("[data-field=name_zh] input");
  name.focus();
  name.select();
}

/** Removed at once; until the page is left, a line in its place brings it back. */
function drop(card) {
  const name = card.querySelector("[data-title]").textContent;
  const line = document.getElementById("dropped-step").content.firstElementChild.cloneNode(true);
  line.querySelector("span").textContent = text("Dropped", { name });
  line.querySelector("button").addEventListener("click", (event) => {
    event.stopPropagation();
    line.replaceWith(card);
    moved(card);
    card.querySelector("[data-toggle]").focus();
  });
  card.replaceWith(line);
  dirty();
  refresh();
  announce(text("Dropped", { name }));
  line.querySelector("button").focus();
}

/** What a card needs once it is on the page. */
function ready(card) {
  card.dispatchEvent(new CustomEvent("select:enhance", { bubbles: true }));
  searchPeople(card, (field, person) => {
    addPerson(field, person, card.dataset.step);
    dirty();
    refresh();
  });
  showKinds(card);
}

function showKinds(card) {
  const kind = card.querySelector("[data-kind]:checked")?.value;
  card.querySelectorAll("[data-for-kind]").forEach((part) => { part.hidden = part.dataset.forKind !== kind; });
  const quorum = card.querySelector("[data-field=quorum] select").value;
  card.querySelectorAll("[data-for-quorum]").forEach((part) => { part.hidden = part.dataset.forQuorum !== quorum; });
}

const TOOLS = {
  add: () => add(),
  up: (card, button) => move(card, cards().indexOf(card) - 1, button),
  down: (card, button) => move(card, cards().indexOf(card) + 1, button),
  copy,
  drop,
  "condition-add": (card) => addCondition(card, newKey()),
  "condition-drop": (card, button) => {
    button.closest("[data-condition]").remove();
    card.querySelector("[data-tool=condition-add]").focus();
  },
  "person-up": (card, button) => {
    const row = button.closest("li");
    row.previousElementSibling?.before(row);
    button.focus();
  },
  "person-drop": (card, button) => {
    button.closest("li").remove();
    card.querySelector("[data-person-search]").focus();
  },
};

if (form) {
  form.classList.add("with-script");
  cards().forEach(ready);
  refresh();
  form.querySelectorAll("[data-amount]").forEach((input) => showAmount(input, text));

  form.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-toggle]");
    if (toggle) {
      const card = toggle.closest("[data-step]");
      open(card, !card.classList.contains("open"));
      return;
    }
    const link = event.target.closest("[data-open-step]");
    if (link) {
      const card = cards()[Number(link.getAttribute("href").replace("#step-", ""))];
      if (card) open(card, true);
      return;
    }
    const button = event.target.closest("[data-tool]");
    if (!button) return;
    event.preventDefault();
    const card = button.closest("[data-step]");
    TOOLS[button.dataset.tool](card, button);
    if (!["add", "copy", "drop", "up", "down"].includes(button.dataset.tool)) {
      dirty();
      refresh();
    }
  });

  form.addEventListener("input", (event) => {
    if (event.target.hasAttribute("data-amount")) showAmount(event.target, text);
    dirty();
    if (event.target.name?.endsWith(".name_zh") || event.target.name?.endsWith(".limit_days")) refresh();
  });
  form.addEventListener("change", (event) => {
    const card = event.target.closest("[data-step]");
    if (!card) return;
    if (event.target.hasAttribute("data-condition-field")) followField(event.target);
    showKinds(card);
    dirty();
    refresh();
  });

  new Dragging(list, { started: () => form.classList.add("is-dragging"), ended: (card, changed) => {
    form.classList.remove("is-dragging");
    if (changed) moved(card);
    card.scrollIntoView({ block: "nearest" });
  } });
  form.addEventListener("keydown", (event) => {
    // Enter in a text field saves nothing by accident: a long form is saved by its buttons.
    if (event.key === "Enter" && event.target.matches("input:not([type=checkbox]):not([type=radio])")) event.preventDefault();
    if (!event.target.hasAttribute("data-handle")) return;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const card = event.target.closest("[data-step]");
    move(card, cards().indexOf(card) + step, event.target);
  });

  let leaving = false;
  form.addEventListener("submit", () => { leaving = true; });
  window.addEventListener("beforeunload", (event) => {
    if (form.hasAttribute("data-dirty") && !leaving) event.preventDefault();
  });
  window.addEventListener("pageshow", () => { leaving = false; });

  // The link of a message leads into a card that may be folded.
  const named = document.getElementById(window.location.hash.slice(1))?.closest("[data-step]");
  if (named) open(named, true);
}
