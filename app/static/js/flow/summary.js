/** What a folded card says of its step, and the earlier steps it may return to. */

const chosen = (card, field) => card.querySelector(`[data-field=${field}] select`)?.selectedOptions[0];

function who(card, text) {
  switch (card.querySelector("[data-kind]:checked")?.value) {
    case "ROLE": return chosen(card, "role")?.value ? chosen(card, "role").textContent : text("Nobody");
    case "GROUP": return chosen(card, "group")?.value ? chosen(card, "group").textContent : text("Nobody");
    case "USERS": return [...card.querySelectorAll("[data-people] li > span")].map((name) => name.textContent.split(" · ")[0]).join("、") || text("Nobody");
    default: return card.querySelector("[data-kind]:checked")?.closest("label").textContent.trim() ?? text("Nobody");
  }
}

function chip(words, colour) {
  const badge = document.createElement("span");
  badge.className = `badge bg-${colour}-lt`;
  badge.textContent = words;
  return badge;
}

export function summarise(card, text) {
  card.querySelector("[data-title]").textContent = card.querySelector("[data-field=name_zh] input").value.trim() || text("New");
  const chips = [chip(who(card, text), "blue"), chip(chosen(card, "quorum").textContent, "secondary")];
  const days = card.querySelector("[data-field=limit_days] input").value.trim();
  if (days) chips.push(chip(text("Days", { days }), "secondary"));
  const conditions = card.querySelectorAll("[data-condition]").length;
  if (conditions) chips.push(chip(text("Conditions", { count: conditions }), "yellow"));
  card.querySelector("[data-chips]").replaceChildren(...chips);
}

export function showReturns(card, earlier) {
  const box = card.querySelector("[data-returns]");
  const list = box.querySelector("[data-return-list]");
  const ticked = new Set([...list.querySelectorAll("input:checked")].map((input) => input.value));
  box.hidden = earlier.length === 0 || !card.querySelector("input[name$='.may_return_earlier']").checked;
  list.replaceChildren(...earlier.map((step) => {
    const label = document.createElement("label");
    label.className = "form-check form-check-inline mb-0";
    const input = document.createElement("input");
    input.type = "checkbox";
    input.className = "form-check-input";
    input.name = `steps.${card.dataset.step}.return_steps`;
    input.value = step.querySelector("[data-code]").value;
    input.checked = ticked.has(input.value);
    const name = document.createElement("span");
    name.className = "form-check-label";
    name.textContent = step.querySelector("[data-title]").textContent;
    label.append(input, name);
    return label;
  }));
}
