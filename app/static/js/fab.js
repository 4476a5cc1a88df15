/**
 * Pages that Flask-AppBuilder generates: its search form, its date inputs and its remote selects, without jQuery.
 */

/* ---- search: the name of a value follows its operator ---- */

const valueOf = (row) => row.querySelector("[data-fab-value] [name]");

function rename(row) {
  const field = valueOf(row);
  if (field) field.name = `_flt_${row.querySelector("[data-fab-operator]").value}_${row.dataset.fabFilter}`;
}

function fill(row, operatorName, value) {
  const operator = row.querySelector("[data-fab-operator]");
  const option = [...operator.options].find((item) => item.textContent === operatorName);
  if (option) operator.value = option.value;
  rename(row);
  const field = valueOf(row);
  if (!field) return;
  if (field.type === "checkbox") field.checked = !["", "n", "false", "0"].includes(String(value).toLowerCase());
  else field.value = value;
  row.dataset.fabFilled = "true";
}

for (const form of document.querySelectorAll("[data-fab-search]")) {
  const rows = [...form.querySelectorAll("[data-fab-filter]")];
  rows.forEach((row) => row.querySelector("[data-fab-operator]").addEventListener("change", () => rename(row)));
  for (const [column, operatorName, values] of JSON.parse(form.dataset.active || "[]")) {
    let row = rows.find((item) => item.dataset.fabFilter === column);
    if (!row) continue;
    for (const value of Array.isArray(values) ? values : [values]) {
      if (row.dataset.fabFilled) {
        const copy = row.cloneNode(true);
        copy.querySelectorAll("[id]").forEach((element) => element.removeAttribute("id"));
        copy.querySelector("[data-fab-operator]").addEventListener("change", () => rename(copy));
        row.after(copy);
        row = copy;
      }
      fill(row, operatorName, value);
    }
  }
}

/* ---- dates: the browser's own picker reads and writes the same yyyy-mm-dd as FAB's forms ---- */

document.querySelectorAll(".appbuilder_date input").forEach((input) => { input.type = "date"; });
document.querySelectorAll(".appbuilder_datetime input").forEach((input) => { input.placeholder = "YYYY-MM-DD hh:mm:ss"; });
document.querySelectorAll(".appbuilder_date .input-group-addon, .appbuilder_datetime .input-group-addon")
  .forEach((addon) => addon.remove());

/* ---- selects: Tabler's look; the long ones are made searchable by select.js, which comes after this module ---- */

for (const select of document.querySelectorAll("select.my_select2:not([multiple])")) {
  select.classList.replace("form-control", "form-select");
  select.querySelectorAll('option[value="__None"]').forEach((option) => { option.textContent = ""; });
  if (select.options.length > 15) select.dataset.select = "";
}

/* ---- remote selects: [{id, text}] from the address in `endpoint`, a slave's with its master's value in it ---- */

async function loadRows(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  return answer.ok ? answer.json() : [];
}

function toSelect(input) {
  const select = document.createElement("select");
  select.className = "form-select";
  for (const name of ["id", "name", "required", "aria-describedby", "aria-invalid"]) {
    if (input.hasAttribute(name)) select.setAttribute(name, input.getAttribute(name));
  }
  input.replaceWith(select);
  return select;
}

async function fillSelect(select, address, chosen) {
  const rows = address ? await loadRows(address) : [];
  select.replaceChildren(new Option("", ""), ...rows.map((row) => new Option(row.text, row.id, false, String(row.id) === chosen)));
}

for (const input of document.querySelectorAll("input.my_select2_ajax[endpoint], input.my_select2_ajax_slave[endpoint]")) {
  const { value } = input;
  const address = input.getAttribute("endpoint");
  const master = document.getElementById(input.getAttribute("master_id") ?? "");
  const select = toSelect(input);
  const addressNow = () => (master ? master.value && address.replace("{{ID}}", encodeURIComponent(master.value)) : address);
  fillSelect(select, addressNow(), value);
  master?.addEventListener("change", () => fillSelect(select, addressNow(), ""));
}
