/** What one can do with a session as a whole: keep it as a file, and delete it for good. */

import { ApiError, deleteSession, exportPath } from "./api.js";
import { icon, make, words } from "./elements.js";
import { say, text } from "./i18n.js";

/** @typedef {import("./vocabulary.js").Session} Session */
/** @typedef {import("./vocabulary.js").Deleted} Deleted */

const FORMATS = ["srt", "vtt", "csv", "json"];

/**
 * Links to the session as a file in each form.
 * @param {string} id
 * @param {string | null} token
 */
export function exportLinks(id, token) {
  const links = FORMATS.map((format) => {
    const link = make("a", "quiet", format.toUpperCase());
    link.href = exportPath(id, token, format);
    link.download = "";
    return link;
  });
  const name = words("keeping.export");
  name.className = "field-name";
  return make("div", "keeping-links", icon("save"), name, ...links);
}

/** @param {() => void} onClick */
export function deleteButton(onClick) {
  const button = make("button", "quiet danger", icon("bin"), words("keeping.delete"));
  button.type = "button";
  button.addEventListener("click", onClick);
  return button;
}

/** Asks whether a session is to be deleted, and does it. */
export class DeletionDialog {
  #title = make("h2");
  #live = words("keeping.delete.live");
  #trouble = make("p", "notice notice-bad");
  #cancel = make("button", "quiet", words("keeping.cancel"));
  #confirm = make("button", "button danger", words("keeping.delete"));
  #dialog = make("dialog", "dialog panel");
  #onDeleted;
  /** @type {Session | null} The one that is asked about. */
  #session = null;

  /** @param {(session: Session, answer: Deleted) => void} onDeleted Called once the dialog is gone. */
  constructor(onDeleted) {
    this.#onDeleted = onDeleted;
    this.#title.id = "deletion-title";
    this.#dialog.setAttribute("aria-labelledby", this.#title.id);
    this.#trouble.setAttribute("role", "alert");
    for (const button of [this.#cancel, this.#confirm]) button.type = "button";
    this.#cancel.autofocus = true;
    this.#cancel.addEventListener("click", () => this.#dialog.close());
    this.#confirm.addEventListener("click", () => void this.#delete());
    const what = make("p", "", words("keeping.delete.what"), " ", this.#live);
    const buttons = make("div", "dialog-buttons", this.#cancel, this.#confirm);
    this.#dialog.append(this.#title, what, make("p", "", words("keeping.delete.ever")), this.#trouble, buttons);
    document.body.append(this.#dialog);
  }

  /** @param {Session} session */
  ask(session) {
    this.#session = session;
    say(this.#title, "keeping.delete.title", { title: titleOf(session) });
    this.#live.hidden = session.state !== "live";
    this.#trouble.hidden = true;
    this.#confirm.disabled = false;
    this.#dialog.showModal();
  }

  async #delete() {
    const session = /** @type {Session} */ (this.#session);
    const isAsked = () => this.#session === session && this.#dialog.open;
    this.#confirm.disabled = true;
    this.#trouble.hidden = true;
    try {
      const answer = await deleteSession(session.session_id);
      if (isAsked()) this.#dialog.close();
      this.#onDeleted(session, answer);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!isAsked()) return;
      this.#trouble.hidden = false;
      say(this.#trouble, "keeping.delete.failed", { reason: error.message });
      this.#confirm.disabled = false;
      this.#confirm.focus();
    }
  }
}

/** @param {Session} session */
export function titleOf({ title }) {
  return title ?? text("session.untitled");
}
