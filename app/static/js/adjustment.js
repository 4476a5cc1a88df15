/**
 * Drafting an adjustment: projects are found while one types, each row's figure before and after is live, and
 * so are both sides and their difference, by project, unit and channel. js/declaration.js does the rest of the form.
 */

import { formatYuan, inWords, parseYuan } from "./declaration/amounts.js";
import { element } from "./declaration/texts.js";

const form = document.getElementById("declaration-form");
const box = form?.querySelector("[data-rows=lines]");
if (box) start();

function start() {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const texts = read("adjustment-texts");
  const choices = document.getElementById("adjustment-project-choices");
  /** What is known of projects, by number and by id. */
  const known = new Map();
  const learn = (project) => { known.set(project.code, project); known.set(String(project.id), project); };
  read("adjustment-projects").forEach(learn);

  const rows = () => [...box.querySelectorAll("tbody[data-row]")];
  const cell = (row, name) => row.querySelector(`[data-cell="${name}"]`);
  const typed = (row) => cell(row, "project_id").value.trim();
  /** A title that was pasted along behind the number does not matter. */
  const projectOf = (row) => known.get(typed(row)) ?? known.get(typed(row).split(/\s+/, 1)[0]);

  /* ---- finding projects ---- */

  let asked = "";
  let waiting = 0;
  box.addEventListener("input", (event) => {
    if (event.target.dataset.cell !== "project_id") return;
    clearTimeout(waiting);
    const words = event.target.value.trim();
    if (words.length < 2 || known.has(words)) return;
    waiting = setTimeout(() => find(words), 200);
  });

  async function find(words) {
    asked = words;
    const address = new URL(box.dataset.projects, window.location.origin);
    address.searchParams.set("q", words);
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
      if (!answer.ok) return;
      const found = await answer.json();
      found.forEach(learn);
      if (asked !== words) return;
      choices.replaceChildren(...found.map((project) => {
        const option = element("option");
        option.value = project.code;
        option.label = project.note;
        return option;
      }));
      update();
    } catch {
      // what is typed stays; the server reads it when the draft is saved
    }
  }

  // Numbers that came by pasting are looked up one by one.
  async function findUnknown() {
    const missing = rows().map((row) => typed(row).split(/\s+/, 1)[0]).filter((code) => /^KP\d{4}[A-Z]{2}\d+$/.test(code) && !known.has(code));
    for (const code of new Set(missing)) await find(code);
  }

  /* ---- the figures of a row ---- */

  function figures(row) {
    const project = projectOf(row);
    const channels = Object.entries(project?.channels ?? {});
    const channel = cell(row, "channel");
    if (project && channel.value === "" && channels.length === 1) channel.value = channels[0][0];
    const before = project && channel.value ? parseYuan(project.channels[channel.value] ?? "0.00") : null;
    const amount = parseYuan(cell(row, "amount").value);
    const direction = cell(row, "direction").value;
    const after = before === null || amount === null || !direction ? null : direction === "OUT" ? before - amount : before + amount;
    return { project, channel, before, amount, direction, after };
  }

  function show(row, found) {
    const note = row.querySelector("[data-project-note]");
    const text = found.project ? found.project.note : "";
    if (note.textContent !== text) note.textContent = text;
    row.querySelector("[data-before]").textContent = found.before === null ? "—" : formatYuan(found.before);
    const after = row.querySelector("[data-after]");
    after.textContent = found.after === null ? "—" : formatYuan(found.after);
    after.classList.toggle("text-red", found.after !== null && found.after < 0n);
    cell(row, "amount_before").value = found.before === null ? "" : formatYuan(found.before).replaceAll(",", "");
  }

  /* ---- both sides ---- */

  function update() {
    const found = rows().map((row) => ({ row, ...figures(row) }));
    found.forEach((each) => show(each.row, each));
    const sum = (direction) => found.reduce((total, each) => total + (each.direction === direction ? each.amount ?? 0n : 0n), 0n);
    const out = sum("OUT");
    const into = sum("IN");
    put("out", out);
    put("into", into);
    const oneSided = form.elements.kind?.value !== "TRANSFER";
    const balanced = oneSided || out === into;
    const place = form.querySelector('[data-sum="difference"]');
    place.textContent = formatYuan(out - into);
    place.classList.toggle("text-green", balanced);
    place.classList.toggle("text-orange", !balanced);
    form.querySelector('[data-sum-words="difference"]').textContent = oneSided ? texts.one_sided : balanced ? texts.equal : texts.differ;
    compare("projects", found, ({ project }) => project && `${project.code} ${project.title}`);
    compare("units", found, ({ project }) => project?.unit);
    compare("channels", found, ({ channel }) => channel.value && channel.selectedOptions[0].textContent);
  }

  function put(name, cents) {
    form.querySelector(`[data-sum="${name}"]`).textContent = formatYuan(cents);
    form.querySelector(`[data-sum-words="${name}"]`).textContent = inWords(cents);
  }

  /** One table of the comparison: before − out + in = after, of each project, unit or channel. */
  function compare(table, found, nameOf) {
    const groups = new Map();
    for (const each of found) {
      const name = nameOf(each);
      if (!name) continue;
      const group = groups.get(name) ?? { before: 0n, out: 0n, into: 0n };
      group.before += each.before ?? 0n;
      if (each.direction === "OUT") group.out += each.amount ?? 0n;
      if (each.direction === "IN") group.into += each.amount ?? 0n;
      groups.set(name, group);
    }
    const body = form.querySelector(`[data-compare="${table}"] tbody`);
    body.replaceChildren(...[...groups].map(([name, { before, out, into }]) => line(name, before, out, into)));
    if (groups.size === 0) {
      const empty = element("tr");
      const only = element("td", "text-secondary", texts.none);
      only.colSpan = 6;
      empty.append(only);
      body.append(empty);
    }
  }

  function line(name, before, out, into) {
    const made = element("tr");
    const head = element("th", "", name);
    head.scope = "row";
    const delta = into - out;
    const colour = delta > 0n ? " text-green" : delta < 0n ? " text-orange" : "";
    made.append(
      head,
      element("td", "num", formatYuan(before)),
      element("td", "num", formatYuan(out)),
      element("td", "num", formatYuan(into)),
      element("td", `num${colour}`, `${delta > 0n ? "+" : ""}${formatYuan(delta)}`),
      element("td", "num fw-medium", formatYuan(before + delta)),
    );
    return made;
  }

  form.addEventListener("form:changed", () => { update(); findUnknown(); });
  form.elements.kind?.addEventListener("change", update);
  update();
}
