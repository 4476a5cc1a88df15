/** Attachments by category: chosen or dropped files go up one after another, each with its progress. */

import { element, say } from "./texts.js";

export class Attachments {
  /** `ready()` makes sure the draft exists; `changed()` asks the server for the cards as they are now. */
  constructor(box, form, { ready, changed }) {
    Object.assign(this, { box, form, ready, changed });
    this.running = 0;
    this.listen();
    for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
      box.addEventListener(type, (event) => this.drag(event));
    }
  }

  /** At each input itself: the cards may be drawn anew while one looks for the file, and the choice still counts. */
  listen() {
    for (const input of this.box.querySelectorAll("input[type=file]")) {
      input.addEventListener("change", () => {
        const files = [...input.files];
        input.value = ""; // sent here; the form itself need not carry it again
        this.upload(input.closest("[data-category]").dataset.category, files);
      });
    }
  }

  /** The card of a category as it stands on the page now. */
  card(category) {
    return this.box.querySelector(`[data-category="${category}"]`);
  }

  get busy() {
    return this.running > 0;
  }

  /** The cards as the server draws them; not while a file is on its way. */
  redraw(html) {
    if (this.busy || html === undefined || html === this.drawn) return;
    this.drawn = html;
    const focused = document.activeElement?.closest("[data-category]")?.dataset.category;
    this.box.innerHTML = html; // our own template, escaped by the server
    this.listen();
    if (focused) this.card(focused)?.querySelector("input[type=file]").focus();
  }

  drag(event) {
    const card = event.target.closest("[data-category]");
    if (!card || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    card.classList.toggle("dropping", event.type === "dragenter" || event.type === "dragover");
    if (event.type === "drop") this.upload(card.dataset.category, [...event.dataTransfer.files]);
  }

  async upload(category, files) {
    if (files.length === 0) return;
    const problems = [];
    this.say(this.card(category), []);
    this.running += 1;
    try {
      await this.ready();
      for (const file of files) {
        const problem = await this.send(category, file);
        if (problem) problems.push(say("file_refused", { name: file.name, reason: problem }));
      }
    } catch (error) {
      problems.push(error.message || say("server_failed"));
    }
    this.running -= 1;
    if (!this.busy) await this.changed();
    this.say(this.card(category), problems);
    const focused = document.activeElement;
    // not while one already types somewhere else
    if (focused === document.body || this.box.contains(focused)) this.card(category).querySelector("input[type=file]").focus();
  }

  /** One file; the answer is what is wrong with it, or "". XMLHttpRequest, because fetch tells no progress. */
  send(category, file) {
    const most = Number(this.box.dataset.mostBytes);
    if (file.size > most) return Promise.resolve(say("file_too_large", { most: this.box.dataset.mostText }));
    const bar = this.progress(this.card(category), file.name);
    const body = new FormData();
    body.append("owner_kind", this.form.dataset.kind);
    body.append("owner_id", this.form.dataset.draft);
    body.append("category", category);
    body.append("file", file);
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("POST", this.box.dataset.upload);
      request.setRequestHeader("Accept", "application/json");
      request.setRequestHeader("X-CSRFToken", this.form.elements.csrf_token.value);
      request.responseType = "json";
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) bar.value = event.loaded / event.total;
      });
      request.addEventListener("loadend", () => {
        bar.parentElement.remove();
        resolve(request.status >= 200 && request.status < 300 ? "" : reason(request));
      });
      request.send(body);
    });
  }

  progress(card, name) {
    const line = element("div", "attachment-progress small text-secondary", say("uploading", { name }));
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", say("uploading", { name }));
    line.append(bar);
    card.querySelector("[data-attachment-progress]").append(line);
    return bar;
  }

  /** Called when the question before it was answered (shell.js asks before the form is sent). */
  async remove(button) {
    const card = button.closest("[data-category]");
    let problem = "";
    try {
      const answer = await fetch(button.dataset.remove, {
        method: "POST",
        credentials: "same-origin",
        redirect: "error",
        headers: { Accept: "application/json", "X-CSRFToken": this.form.elements.csrf_token.value },
      });
      if (!answer.ok) problem = (await answer.json().catch(() => ({}))).message || say("server_failed");
    } catch {
      problem = say("server_unreachable");
    }
    await this.changed();
    this.say(this.card(card.dataset.category), problem ? [problem] : []);
  }

  say(card, problems) {
    const place = card.querySelector("[data-attachment-problem]");
    place.replaceChildren(...problems.map((problem) => element("div", "", problem)));
    place.hidden = problems.length === 0;
  }
}

function reason(request) {
  const errors = request.response?.errors;
  const first = errors && Object.values(errors)[0]?.[0];
  if (first || request.response?.message) return first ?? request.response.message;
  return request.status === 413 ? say("file_too_large_short") : say("server_unreachable");
}
