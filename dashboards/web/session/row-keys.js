/** The keyboard in a transcript: its line in sight is the stop of the tab key, and arrows go from one to the next. */

/** @typedef {import("../shared/transcript.js").Transcript} Transcript */

export class RowKeys {
  #transcript;
  /** @type {Element | null} The line of the stop. */
  #stop = null;

  /** @param {Transcript} transcript Whose rows have links, and buttons to play them. */
  constructor(transcript) {
    this.#transcript = transcript;
    transcript.list.addEventListener("keydown", (event) => this.#heed(event));
    transcript.list.addEventListener("focusin", (event) => this.#stopAt(rowOf(event.target)));
  }

  /** After every change: the stop is at what is in sight, unless the reader is at some line. */
  settle() {
    if (this.#transcript.list.contains(document.activeElement)) return;
    this.#stopAt(this.#transcript.place.inSight?.[0] ?? null);
  }

  /** @param {KeyboardEvent} event */
  #heed(event) {
    const row = rowOf(event.target);
    if (!row || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    const next = event.key === "ArrowDown" ? row.nextElementSibling : row.previousElementSibling;
    const kind = event.target instanceof HTMLButtonElement ? "button" : "a";
    /** @type {HTMLElement | null | undefined} */ (next?.querySelector(kind))?.focus();
  }

  /** @param {Element | null} row */
  #stopAt(row) {
    if (row === this.#stop) return;
    for (const part of partsOf(this.#stop)) part.tabIndex = -1;
    for (const part of partsOf(row)) part.tabIndex = 0;
    this.#stop = row;
  }
}

/** @param {EventTarget | null} part Of a row. */
function rowOf(part) {
  return part instanceof Element ? part.closest("li") : null;
}

/**
 * @param {Element | null} row
 * @returns {Iterable<HTMLElement>}
 */
function partsOf(row) {
  return row?.querySelectorAll("a, button") ?? [];
}
