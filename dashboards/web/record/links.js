/** The link for those who watch, to copy or to share, and the way to the session when it is over. */

import { sessionPage } from "../shared/api.js";
import { find } from "../shared/elements.js";
import { say } from "../shared/i18n.js";

/** @typedef {import("../recorder/shelf.js").Recording} Recording */

const COPIED_MS = 2000;

export class Links {
  /** @type {HTMLInputElement} */
  #watch = find("watch");
  #title = "";

  constructor() {
    find("copy").addEventListener("click", () => void this.#copy());
    find("share").addEventListener("click", () => void this.#share());
    find("share").hidden = !navigator.share;
    this.#watch.addEventListener("focus", () => this.#watch.select());
  }

  /** @param {Recording} recording */
  show({ sessionId, readToken, title }) {
    this.#title = title ?? "Undertone";
    this.#watch.value = sessionPage(sessionId, readToken);
    find("open").setAttribute("href", this.#watch.value);
    find("links").hidden = false;
  }

  /** Whoever has recorded is led on: the watchers have their link. */
  showEnd() {
    find("watchers").hidden = true;
    if (!find("after").hidden) return;
    find("after").hidden = false;
    // the button that was pressed last is gone, and the focus with it
    if ([document.body, find("stop")].includes(/** @type {HTMLElement} */ (document.activeElement))) find("open").focus();
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#watch.value);
    } catch {
      this.#watch.focus(); // which selects it
      this.#complain("record.copy.failed");
      return;
    }
    find("link-trouble").hidden = true;
    say(find("copy-words"), "record.copied");
    setTimeout(() => say(find("copy-words"), "record.copy"), COPIED_MS);
  }

  async #share() {
    find("link-trouble").hidden = true;
    try {
      await navigator.share({ title: this.#title, url: this.#watch.value });
    } catch (error) {
      const hasChangedTheirMind = /** @type {Error} */ (error).name === "AbortError";
      if (!hasChangedTheirMind) this.#complain("record.share.failed");
    }
  }

  /** @param {string} key */
  #complain(key) {
    find("link-trouble").hidden = false;
    say(find("link-trouble"), key);
  }
}
