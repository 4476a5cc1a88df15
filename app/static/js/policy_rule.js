/**
 * Condition rows of a policy rule: only the comparisons a field knows, codes ticked instead of typed, more
 * rows. Without this script the rows work as they stand: codes are typed, separated by commas.
 */

const data = JSON.parse(document.getElementById("rule-script")?.textContent ?? "null");
const box = document.querySelector("[data-rule-rows]");
const NUMBERS = new Set(["AMOUNT", "NUMBER"]);
const SEVERAL = new Set(["IN", "NOT_IN"]);
const picker = document.getElementById("document_kind");
const groups = [...(box?.querySelector("[data-rule-field]")?.querySelectorAll("optgroup") ?? [])].map((fields) => fields.cloneNode(true));
const kindNow = () => data.kind || picker?.value || "";
const part = (row, name) => row.querySelector(`[data-rule-${name}]`);

if (data && box) {
  for (const row of box.querySelectorAll("[data-rule-row]")) follow(row);
  const add = document.querySelector("[data-rule-add]");
  add.hidden = false;
  add.addEventListener("click", () => addRow());
  picker?.addEventListener("change", offerKind);
  offerKind();
}

function follow(row) {
  part(row, "field").addEventListener("change", () => { part(row, "value").value = ""; part(row, "parameter").value = ""; draw(row); });
  part(row, "operator").addEventListener("change", () => draw(row));
  part(row, "parameter").addEventListener("change", () => { if (part(row, "parameter").value) part(row, "value").value = ""; });
  part(row, "value").addEventListener("input", () => { if (part(row, "value").value) part(row, "parameter").value = ""; });
  draw(row);
}

/** Show what fits the chosen field. */
function draw(row) {
  const field = data.fields[kindNow()]?.[part(row, "field").value];
  const operator = part(row, "operator");
  const known = field ? data.operators[field.kind] : [...operator.options].map((option) => option.value);
  for (const option of operator.options) {
    option.hidden = option.disabled = !known.includes(option.value);
  }
  if (!known.includes(operator.value)) [operator.value] = known;
  const number = !field || NUMBERS.has(field.kind);
  part(row, "parameter").closest(".rule-cell").hidden = !number;
  if (!number) part(row, "parameter").value = "";
  const choices = choicesOf(field);
  part(row, "value").closest(".rule-cell").hidden = Boolean(choices);
  part(row, "choices").replaceChildren(...(choices ? [group(row, choices, SEVERAL.has(operator.value))] : []));
}

function choicesOf(field) {
  if (!field || NUMBERS.has(field.kind)) return null;
  if (field.kind === "FLAG") return [["true", data.yes], ["false", data.no]];
  return data.choices[field.kind === "UNIT" ? "unit" : field.choices] ?? null;
}

/** Boxes to tick, which write the codes into the row's value. */
function group(row, choices, several) {
  const value = part(row, "value");
  const chosen = new Set(value.value.split(",").filter(Boolean));
  const made = document.createElement("div");
  made.className = "form-selectgroup";
  const name = `pick-${value.name}`;
  for (const [code, text] of choices) {
    const label = document.createElement("label");
    label.className = "form-selectgroup-item";
    const input = document.createElement("input");
    Object.assign(input, { type: several ? "checkbox" : "radio", className: "form-selectgroup-input", name, value: code, checked: chosen.has(code) });
    const words = document.createElement("span");
    words.className = "form-selectgroup-label";
    words.textContent = text;
    label.append(input, words);
    made.append(label);
  }
  const write = () => { value.value = [...made.querySelectorAll("input:checked")].map((input) => input.value).join(","); };
  made.addEventListener("change", write);
  write();
  return made;
}

function addRow() {
  const rows = box.querySelectorAll("[data-rule-row]");
  const row = rows[rows.length - 1].cloneNode(true);
  row.querySelectorAll(".rule-error").forEach((error) => error.remove());
  for (const control of row.querySelectorAll("[name^='conditions.']")) {
    control.name = control.name.replace(/^conditions\.\d+/, `conditions.${rows.length}`);
    control.classList.remove("is-invalid");
    if (!control.name.endsWith(".group") && !control.name.endsWith(".operator")) control.value = "";
  }
  box.append(row);
  follow(row);
  part(row, "field").focus();
}

/** A new rule compares fields of its own kind of document only: two kinds may each have one of the same name. */
function offerKind() {
  for (const row of box.querySelectorAll("[data-rule-row]")) {
    const select = part(row, "field");
    const chosen = select.value;
    select.querySelectorAll("optgroup").forEach((fields) => fields.remove());
    select.append(...groups.filter((fields) => fields.dataset.kind === kindNow()).map((fields) => fields.cloneNode(true)));
    select.value = [...select.options].some((option) => option.value === chosen) ? chosen : "";
    draw(row);
  }
}
