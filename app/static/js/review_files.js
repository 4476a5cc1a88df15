/** Files given with an opinion: sent at once, one after another, so that nothing is lost when a decision is refused. */

export class OpinionFiles {
  constructor(box, form) {
    this.box = box;
    this.form = form;
    this.list = box.querySelector("[data-file-list]");
    this.problem = box.querySelector("[data-file-problem]");
    this.running = Promise.resolve();
    this.pending = 0;
    const input = box.querySelector("input[type=file]");
    input.addEventListener("change", () => {
      const chosen = [...input.files];
      input.value = ""; // sent here; the form need not carry it again
      this.problem.hidden = true;
      this.problem.textContent = "";
      for (const file of chosen) this.queue(() => this.send(file));
    });
    box.addEventListener("click", (event) => {
      const button = event.target.closest("[data-remove-file]");
      if (button) this.queue(() => this.remove(button));
    });
  }

  get busy() {
    return this.pending > 0;
  }

  /** Wait until nothing is on its way; true when something was refused meanwhile. */
  async settled() {
    if (!this.busy) return false;
    await this.running;
    return !this.problem.hidden;
  }

  queue(deed) {
    this.pending += 1;
    this.running = this.running.then(deed).finally(() => { this.pending -= 1; });
  }

  async send(file) {
    const line = this.line(file.name);
    line.classList.add("text-secondary");
    line.append(this.box.dataset.textBusy.replace("{name}", file.name));
    const body = new FormData();
    body.set("owner_kind", "task");
    body.set("owner_id", this.box.dataset.task);
    body.set("category", "OPINION");
    body.set("file", file);
    const reply = await this.post(this.box.dataset.files, body);
    line.remove();
    if (!reply.ok) {
      this.say(`${file.name}: ${reply.message ?? this.box.dataset.textFailed.replace("{name}", file.name)}`);
      return;
    }
    this.show(reply);
  }

  show(file) {
    const line = this.line(file.name);
    const link = document.createElement("a");
    link.href = file.href;
    link.download = "";
    link.textContent = file.name;
    const size = document.createElement("span");
    size.className = "text-secondary nowrap mx-1";
    size.textContent = file.size_text;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-sm btn-icon btn-ghost-danger";
    button.dataset.removeFile = file.remove_href;
    button.setAttribute("aria-label", this.box.dataset.textRemove.replace("{name}", file.name));
    button.append(icon("trash"));
    line.append(link, size, button);
  }

  line(name) {
    [...this.list.children].filter((one) => one.dataset.name === name).forEach((one) => one.remove());
    const line = document.createElement("li");
    line.dataset.name = name;
    line.append(icon("paperclip me-1"));
    this.list.append(line);
    return line;
  }

  async remove(button) {
    const reply = await this.post(button.dataset.removeFile, new FormData());
    if (reply.ok) button.closest("li").remove();
    else this.say(reply.message ?? this.box.dataset.textFailed.replace("{name}", button.dataset.name ?? ""));
  }

  async post(address, body) {
    body.set("csrf_token", this.form.elements.namedItem("csrf_token").value);
    try {
      const answer = await fetch(address, {
        method: "POST", body, headers: { Accept: "application/json" }, credentials: "same-origin",
      });
      return { ...(await answer.json()), ok: answer.ok };
    } catch {
      return { ok: false };
    }
  }

  say(text) {
    this.problem.hidden = false;
    this.problem.append(Object.assign(document.createElement("div"), { textContent: text }));
  }
}

function icon(name) {
  const mark = document.createElement("i");
  mark.className = `ti ti-${name}`;
  mark.setAttribute("aria-hidden", "true");
  return mark;
}
