/** Condition rows: a comparison and a value that fit the chosen field, and amounts said in ten thousands. */

export function addCondition(card, number) {
  const row = document.getElementById("new-condition").content.firstElementChild.cloneNode(true);
  const prefix = `steps.${card.dataset.step}.conditions.${number}`;
  row.dataset.condition = prefix;
  const field = row.querySelector("[data-condition-field]");
  field.name = `${prefix}.field`;
  field.id = `${prefix.replaceAll(".", "-")}-field`;
  card.querySelector("[data-conditions]").append(row);
  followField(field);
  field.focus();
}

/** Replace comparison and value by those of the field now chosen. */
export function followField(field) {
  const row = field.closest("[data-condition]");
  const template = document.querySelector(`template[data-comparison-of="${CSS.escape(field.value)}"]`);
  if (!template) return;
  const box = row.querySelector("[data-comparison]");
  box.querySelectorAll("select").forEach((select) => select.tomselect?.destroy());
  box.replaceChildren(template.content.cloneNode(true));
  for (const control of box.querySelectorAll("[name]")) {
    control.name = control.name.replace("PREFIX", row.dataset.condition);
    control.id = control.id.replace("PREFIX", row.dataset.condition.replaceAll(".", "-"));
  }
  row.classList.remove("has-error");
  row.querySelectorAll(".field-error").forEach((message) => message.remove());
  box.dispatchEvent(new CustomEvent("select:enhance", { bubbles: true }));
}

/** 1000000 is easily misread: say 100 万元 under the box. */
export function showAmount(input, text) {
  const words = input.closest(".flow-value").querySelector("[data-amount-words]");
  const plain = input.value.replace(/[,，\s]/g, "");
  const isAmount = /^\d+(\.\d+)?$/.test(plain);
  words.textContent = isAmount ? text("Wan", { amount: (Number(plain) / 10000).toLocaleString("zh-CN", { maximumFractionDigits: 6 }) }) : "";
}
