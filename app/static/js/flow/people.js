/** Named reviewers: found while one types, kept in order. */

export function searchPeople(card, found) {
  const input = card.querySelector("[data-person-search]");
  if (!window.TomSelect || input.tomselect) return;
  const select = new window.TomSelect(input, {
    valueField: "id",
    labelField: "text",
    searchField: [],
    maxItems: 1,
    load: (query, done) => {
      const address = new URL(input.dataset.personSearch, window.location.origin);
      address.searchParams.set("q", query);
      fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" })
        .then((answer) => (answer.ok ? answer.json() : []))
        .then((people) => {
          select.clearOptions();
          done(people);
        })
        .catch(() => done());
    },
    preload: "focus",
    onItemAdd: (username) => {
      const person = { username, name: select.options[username]?.text ?? username };
      select.clear(true);
      select.clearOptions();
      select.setTextboxValue("");
      found(input, person);
    },
  });
}

export function addPerson(input, person, key) {
  const list = input.closest("[data-for-kind]").querySelector("[data-people]");
  if ([...list.children].some((row) => row.dataset.person === person.username)) return;
  const row = document.getElementById("new-person").content.firstElementChild.cloneNode(true);
  row.dataset.person = person.username;
  row.querySelector("input").name = `steps.${key}.users`;
  row.querySelector("input").value = person.username;
  row.querySelector("span").textContent = person.name;
  list.append(row);
}
