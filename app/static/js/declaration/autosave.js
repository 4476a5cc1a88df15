/**
 * Keeps the draft on the server while one types: shortly after a change, when the page is left, and again
 * after a failure until it succeeds. One request at a time, each with the version the last one answered, so
 * that nobody's later change is overwritten unseen; only a page that is left does not wait for the answer.
 * Saves are counted, so that the server takes the later one whichever comes first.
 */

import { say } from "./texts.js";

const AFTER_CHANGE_MS = 1500;
const FIRST_MS = 400; // a new form gets its draft early, so that later saves know which one
const RETRY_MS = [3_000, 6_000, 12_000, 30_000];
const KEEPALIVE_BYTES = 60_000; // browsers refuse more after the page is gone
const NOT_CONTENT = new Set(["csrf_token", "version"]);

/** Does a control hold something else than the page came with? */
function touched(control) {
  if (!control.name || control.type === "file") return false;
  if (control.tagName === "SELECT") {
    return [...control.options].some((option) => option.value !== "" && option.selected !== option.defaultSelected);
  }
  if (control.type === "checkbox" || control.type === "radio") return control.checked !== control.defaultChecked;
  if (control.defaultValue === undefined) return false;
  const given = control.cloneNode(true);
  given.value = given.defaultValue; // as its kind takes it: a date that is none is empty
  return control.value !== given.value;
}

/**
 * Was something typed while the scripts were still on their way? The server does not know it. After a reload and
 * on the way back it may be the browser itself that has put an earlier text in, which is nobody's change.
 */
export function typedEarly(form) {
  const [way] = performance.getEntriesByType("navigation");
  return way?.type === "navigate" && [...form.elements].some(touched);
}

export class Autosave {
  /**
   * `answered(reply)` gets what the server said, `told(state, text)` shows it, `conflicted(reply)` the 409;
   * `typed` says that the page already holds more than the server sent.
   */
  constructor(form, { answered, told, conflicted, typed }) {
    Object.assign(this, { form, answered, told, conflicted });
    this.failures = 0;
    this.stopped = form.dataset.conflict !== undefined;
    this.waiting = [];
    this.turn = 0;
    this.answeredTurn = 0;
    this.saved = typed ? "" : this.content();
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.leave(); });
    window.addEventListener("pagehide", () => this.leave());
    window.addEventListener("online", () => { if (this.dirty) this.schedule(0); });
    window.addEventListener("beforeunload", (event) => {
      if (!this.leaving && this.dirty && (this.failures > 0 || this.stopped)) event.preventDefault();
    });
  }

  get version() {
    return this.form.elements.version.value;
  }

  get dirty() {
    return this.content() !== this.saved;
  }

  /** Is there something that the server does not have yet? */
  get pending() {
    return this.dirty || Boolean(this.saving);
  }

  /** Everything typed, as pairs; the same form reader on the server takes them. */
  content() {
    const pairs = [...new FormData(this.form)].filter(([name, value]) => typeof value === "string" && !NOT_CONTENT.has(name));
    if (this.form.dataset.tried !== undefined) pairs.push(["tried", "1"]);
    return JSON.stringify(pairs);
  }

  changed() {
    if (this.stopped) return;
    if (this.failures === 0 && !this.saving) this.told("typing", "");
    this.schedule(this.form.dataset.draft ? AFTER_CHANGE_MS : FIRST_MS);
  }

  schedule(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), wait);
  }

  /** Resolves when what is on the page is on the server; rejects when it could not be kept. */
  flush() {
    if (!this.dirty && !this.saving && this.form.dataset.draft) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      clearTimeout(this.timer);
      this.save(true);
    });
  }

  /** Resolves when no request is under way; nothing new is started. */
  async idle() {
    clearTimeout(this.timer);
    this.leaving = true;
    await this.saving;
    clearTimeout(this.timer);
  }

  resume() {
    this.leaving = false;
  }

  leave() {
    if (this.stopped || this.leaving || !this.dirty) return;
    clearTimeout(this.timer);
    const content = this.content();
    if (!this.saving) this.save();
    else if (content !== this.sent) this.send(content);
  }

  save(evenUnchanged = false) {
    if (this.stopped) return this.settle(new Error("stopped"));
    if (this.saving) {
      this.again = true;
      return undefined;
    }
    const content = this.content();
    if (content === this.saved && !(evenUnchanged && !this.form.dataset.draft)) return this.settle();
    this.told("saving", say("saving"));
    this.saving = this.send(content).finally(() => {
      this.saving = null;
      if (this.again && !this.leaving) {
        this.again = false;
        this.save();
      }
    });
    return this.saving;
  }

  async send(content) {
    const turn = (this.turn += 1);
    this.sent = content;
    const body = JSON.stringify({ version: this.version, turn, values: JSON.parse(content) });
    let answer;
    try {
      answer = await fetch(this.form.dataset.autosave, {
        method: "POST",
        body,
        keepalive: new Blob([body]).size < KEEPALIVE_BYTES,
        credentials: "same-origin",
        redirect: "error",
        headers: {
          "Content-Type": "application/json",
          Accept: "application/json",
          "X-CSRFToken": this.form.elements.csrf_token.value,
        },
      });
    } catch {
      this.fail(navigator.onLine ? say("server_unreachable") : say("offline"));
      return;
    }
    const reply = await answer.json().catch(() => ({}));
    if (turn < this.answeredTurn) return;
    this.answeredTurn = turn;
    if (reply.turn > turn) {
      this.passedOver(turn, reply);
      return;
    }
    if (answer.ok) this.kept(content, reply);
    else if (answer.status === 409) this.conflict(reply);
    else if (answer.status === 401 || answer.status === 403) this.fail(reply.message || say("logged_out"));
    else if (answer.status >= 500) this.fail(say("server_failed"));
    else this.refuse(reply);
  }

  /** The server has a later save of this page: one under way, or of the time before it was loaded again. */
  passedOver(turn, reply) {
    if (turn < this.turn) return;
    this.turn = reply.turn;
    this.schedule(0);
  }

  kept(content, reply) {
    this.saved = content;
    this.failures = 0;
    this.form.elements.version.value = reply.version;
    this.told("saved", reply.saved_text);
    this.answered(reply);
    if (this.dirty && !this.leaving) this.schedule(AFTER_CHANGE_MS);
    if (!this.dirty) this.settle();
    else if (this.waiting.length) this.again = true;
  }

  /** Not now, perhaps later: say so and try again. */
  fail(text) {
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    this.told("failed", say("not_saved", { reason: text, seconds: wait / 1000 }));
    this.settle(new Error(text));
    if (!this.leaving) this.schedule(wait);
  }

  /** Not like this: what is on the page has to change first. */
  refuse(reply) {
    const first = Object.values(reply.errors ?? {})[0]?.[0];
    this.told("failed", say("refused", { reason: first ?? reply.message ?? say("server_failed") }));
    if (reply.errors) this.answered({ errors: reply.errors });
    this.settle(new Error(reply.message));
  }

  conflict(reply) {
    this.stopped = true;
    this.told("conflict", say("conflict_short"));
    this.conflicted(reply);
    this.settle(new Error(reply.message));
  }

  /** The user has read what others changed and keeps his own text. */
  keepMine(version) {
    this.form.elements.version.value = version;
    delete this.form.dataset.conflict;
    this.stopped = false;
    this.saved = "";
    this.schedule(0);
  }

  settle(error) {
    for (const { resolve, reject } of this.waiting.splice(0)) {
      if (error) reject(error);
      else resolve();
    }
  }
}
