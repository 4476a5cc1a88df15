/** Picking colleagues: a <select data-people="address"> asks the server while one types; answers [{id, text}]. */

/** `asked()` gives what else the address is asked with, `most` how many may be chosen. */
export function pickPeople(element, { most = 1, asked = () => ({}) } = {}) {
  return new window.TomSelect(element, {
    valueField: "id",
    labelField: "text",
    searchField: [],
    maxItems: most,
    closeAfterSelect: true,
    placeholder: element.dataset.placeholder,
    hidePlaceholder: true,
    plugins: ["remove_button"],
    render: { no_results: () => Object.assign(document.createElement("div"), { className: "no-results", textContent: document.body.dataset.noResults }) },
    load: (query, done) => {
      const address = new URL(element.dataset.people, window.location.origin);
      for (const [name, value] of Object.entries({ q: query, ...asked() })) address.searchParams.set(name, value);
      fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" })
        .then((answer) => (answer.ok ? answer.json() : []))
        .then(done, () => done());
    },
    preload: "focus",
    onType() { this.clearOptions(); },
  });
}
