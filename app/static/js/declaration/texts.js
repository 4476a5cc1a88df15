/** The page's own sentences, already in the reader's language: <script type="application/json" id="declaration-texts">. */

const texts = JSON.parse(document.getElementById("declaration-texts")?.textContent ?? "{}");

/** A sentence with its %(name)s places filled. */
export function say(key, values = {}) {
  return (texts[key] ?? key).replace(/%\((\w+)\)s/g, (place, name) => values[name] ?? place);
}

/** An element with classes and text; never HTML from a string. */
export function element(tag, classes = "", text = "") {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  if (text) made.textContent = text;
  return made;
}

export function icon(name) {
  const made = element("i", `ti ti-${name}`);
  made.setAttribute("aria-hidden", "true");
  return made;
}
