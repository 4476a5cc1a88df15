/**
 * Long selects become searchable (Tom Select, loaded beside this module): every <select data-select> and
 * every <select multiple>. An <input data-select-remote="address"> asks the server while one types:
 * GET address?q=… answers [{"id": …, "text": …}].
 */

const noResults = document.body.dataset.noResults ?? "";
const escapeText = (text) => String(text).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
const render = { no_results: () => `<div class="no-results">${escapeText(noResults)}</div>` };

function options(element) {
  return {
    maxOptions: 500,
    plugins: element.multiple ? ["remove_button"] : [],
    hidePlaceholder: true,
    allowEmptyOption: !element.multiple,
    render,
  };
}

function enhanceRemote(element) {
  return new window.TomSelect(element, {
    valueField: "id",
    labelField: "text",
    searchField: "text",
    maxItems: element.dataset.selectMany === undefined ? 1 : null,
    preload: "focus",
    render,
    load: (query, done) => {
      const address = new URL(element.dataset.selectRemote, window.location.origin);
      if (query) address.searchParams.set("q", query);
      fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" })
        .then((answer) => (answer.ok ? answer.json() : []))
        .then((rows) => done(Array.isArray(rows) ? rows : rows.result ?? []))
        .catch(() => done());
    },
  });
}

/** Also for rows that are added to a page later: dispatch "select:enhance" on the new element. */
function enhance(root) {
  if (!window.TomSelect) return;
  for (const element of root.querySelectorAll("select[data-select], select[multiple]")) {
    if (!element.tomselect) new window.TomSelect(element, options(element));
  }
  for (const element of root.querySelectorAll("input[data-select-remote]")) {
    if (!element.tomselect) enhanceRemote(element);
  }
}
enhance(document);
document.addEventListener("select:enhance", (event) => enhance(event.target));
