/** The keyboard in a transcript: one stop for the tab key, and arrows from one utterance to the next. */

/** @typedef {import("../shared/transcript.js").Transcript} Transcript */

export class RowKeys {
  #transcript;
  /** @type {HTMLAnchorElement | null} */
  #stop = null;

  /** @param {Transcript} transcript Whose rows have links. */
  constructor(transcript) {
    this.#transcript = transcript;
    transcript.list.addEventListener("keydown", (event) => this.#heed(event));
    transcript.list.addEventListener("focusin", (event) => this.#stopAt(linkOf(event.target)));
  }

  /** After every change: the stop is at what is in sight, unless the reader is at some line. */
  settle() {
    if (this.#transcript.list.contains(document.activeElement)) return;
    this.#stopAt(linkOf(this.#transcript.place.inSight?.[0] ?? null));
  }

  /** @param {KeyboardEvent} event */
  #heed(event) {
    const row = event.target instanceof Element ? event.target.closest("li") : null;
    if (!row || event.ctrlKey || event.altKey || event.metaKey) return;
    const next = event.key === "ArrowDown" ? row.nextElementSibling : event.key === "ArrowUp" ? row.previousElementSibling : null;
    const link = linkOf(next);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") event.preventDefault();
    link?.focus();
  }

  /** @param {HTMLAnchorElement | null} link */
  #stopAt(link) {
    if (this.#stop) this.#stop.tabIndex = -1;
    if (link) link.tabIndex = 0;
    this.#stop = link;
  }
}

/**
 * @param {EventTarget | null} part Of a row.
 * @returns {HTMLAnchorElement | null}
 */
function linkOf(part) {
  return part instanceof Element ? (part.closest("li")?.querySelector("a") ?? null) : null;
}
