/** Pages with plain forms that name one colleague. */

import { pickPeople } from "./people.js";

window.addEventListener("load", () => {
  document.querySelectorAll("select[data-people]").forEach((element) => pickPeople(element));
});
