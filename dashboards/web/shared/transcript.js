/**
 * A transcript that grows at both ends: finals, then what is being said now. Whatever comes or goes, the words that are
 * being read stay where they are; only a reader who follows the end is taken along.
 */

import { make, words } from "./elements.js";
import { Follow } from "./follow.js";
import { Place } from "./place.js";
import { ChangingRow, hasRow, makeRow } from "./row.js";

/** @typedef {import("./vocabulary.js").Utterance} Utterance */
/** @typedef {import("./vocabulary.js").Partial} Partial */
/**
 * @typedef {object} Shown
 * @property {Utterance[]} utterances In order of time.
 * @property {Partial | null} partial
 * @property {boolean} [hasLater] Whether the last of them is not the end.
 */

/** So many of the last finals a screen reader finds in the log. */
const ANNOUNCED = 3;

export class Transcript {
  list = make("ol", "rows");
  follow = new Follow();
  place;
  #partial = new ChangingRow();
  #log = make("div", "unseen");
  #isLinked;
  /** @type {Map<string, HTMLLIElement>} */
  #rows = new Map();
  #hasLater = false;
  #isTaken = false;
  #shown = "";
  #newest = "";
  #heardFromMs;

  /**
   * @param {HTMLElement} holder Gets the list, the partial, and what a screen reader is told: finals alone, politely.
   * @param {HTMLElement} scroller What scrolls.
   * @param {{isLinked?: boolean}} [wishes] Lines that are linked can be heard, too.
   */
  constructor(holder, scroller, { isLinked = false } = {}) {
    this.place = new Place(scroller, this.list);
    this.#isLinked = isLinked;
    this.#heardFromMs = isLinked ? 0 : Infinity;
    this.#log.setAttribute("role", "log");
    holder.append(this.list, this.#partial.element, this.#log);
    scroller.addEventListener("scroll", () => this.#heedScroll(), { passive: true });
    const observer = new ResizeObserver(() => this.#settle());
    for (const element of [scroller, holder]) observer.observe(element);
  }

  get isEmpty() {
    return this.#rows.size === 0 && this.#partial.element.hidden;
  }

  /**
   * @param {Shown} shown
   * @param {boolean} isLive Whether the end is still moving, and so may be followed.
   */
  show({ utterances, partial, hasLater = false }, isLive) {
    if (isLive && this.follow.isOn) this.#heedScroll(); // its event may be still to come
    this.#hasLater = hasLater;
    this.#isTaken = isLive && this.follow.isOn;
    const content = `${utterances[0]?.utterance_id} ${utterances.length} ${utterances.at(-1)?.utterance_id}`;
    const isNew = content !== this.#shown;
    this.#shown = content;
    if (isNew) {
      this.place.remember();
      const added = this.#sync(utterances.filter(hasRow));
      if (this.#isTaken) this.#announce(added);
    }
    this.#partial.show(hasLater ? null : partial);
    if (isNew || this.#isTaken) this.#settle();
  }

  /**
   * @param {string} id
   * @returns {HTMLLIElement | null}
   */
  row(id) {
    return this.#rows.get(id) ?? null;
  }

  /** Lines that begin before it can be heard no more. */
  get heardFromMs() {
    return this.#heardFromMs;
  }

  /**
   * Takes their buttons from the lines that have them still. A line keeps its place and the focus.
   * @param {number} ms
   * @param {Utterance[]} utterances Those that are shown.
   */
  silence(ms, utterances) {
    if (ms <= this.#heardFromMs) return;
    this.#heardFromMs = ms;
    for (const { utterance_id, start_ms } of utterances) {
      const row = this.#rows.get(utterance_id);
      const button = start_ms < ms && row?.querySelector(".row-play");
      if (!button) continue;
      if (button === document.activeElement) row?.querySelector("a")?.focus();
      button.remove();
    }
  }

  /**
   * Brings a line into the middle, if it is there.
   * @param {string} id
   */
  reveal(id) {
    const row = this.#rows.get(id);
    if (row) this.place.centre(row);
    this.leave();
  }

  /** The reader is somewhere else from now on, not at the end. */
  leave() {
    this.#isTaken = false;
    this.follow.leave(this.place.beyond.above);
  }

  /**
   * @param {Utterance[]} lines
   * @returns {Utterance[]} The added ones.
   */
  #sync(lines) {
    const wanted = new Set(lines.map(({ utterance_id }) => utterance_id));
    for (const [id, row] of this.#rows) {
      if (wanted.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    const added = [];
    let next = this.list.firstElementChild;
    for (const utterance of lines) {
      if (next?.id === utterance.utterance_id) {
        next = next.nextElementSibling;
        continue;
      }
      const row = makeRow(utterance, this.#isLinked, utterance.start_ms >= this.#heardFromMs);
      this.#rows.set(utterance.utterance_id, row);
      this.list.insertBefore(row, next);
      added.push(utterance);
    }
    return added;
  }

  /** After a change of what is there, or of its size. */
  #settle() {
    if (this.#isTaken) this.place.toEnd();
    else this.place.restore();
    this.follow.settle(this.place.beyond.above);
  }

  /** @param {Utterance[]} added To a list that is followed. */
  #announce(added) {
    const isFirst = this.#newest === "";
    const fresh = added.filter(({ utterance_id }) => utterance_id > this.#newest);
    this.#newest = fresh.at(-1)?.utterance_id ?? (this.#newest || " ");
    if (isFirst) return; // what was there before the reader is for them to read
    this.#log.append(...fresh.slice(-ANNOUNCED).map(makeNews));
    while (this.#log.childElementCount > ANNOUNCED) this.#log.firstElementChild?.remove();
  }

  #heedScroll() {
    const { above, below } = this.place.beyond;
    this.follow.scroll({ top: above, below: this.#hasLater ? Infinity : below });
    this.#isTaken &&= this.follow.isOn;
    this.place.remember();
  }
}

/** @param {Utterance} utterance */
function makeNews({ text, sentiment, quality }) {
  const mood = quality.suppressed ? `suppressed.${quality.suppressed}` : `mood.${sentiment?.label ?? "unknown"}`;
  return make("p", "", text, " ", words(mood));
}
