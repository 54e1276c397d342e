/** What the wall knows of a live session: a glance, the mood of its last minutes, and how its words come. Pure. */

import { mediaMs } from "../shared/format.js";
import { Glance } from "../shared/story.js";

/** @typedef {import("../shared/vocabulary.js").Utterance} Utterance */
/** @typedef {import("../shared/vocabulary.js").Window} Window */

export const SLOT_MS = 10_000;
export const RECENT_MS = 300_000;

export class Watched extends Glance {
  /** @type {Window[]} Those of ten seconds that have a score, of the last five minutes heard, in order. */
  recent = [];
  /** @type {number | null} How long the last utterance took, from the end of its speech to its mood, by the server's clock. */
  delayMs = null;
  /** When something new of it was heard, by the clock of whoever calls `note`. */
  heardAtMs = 0;
  #noted = -1;
  #seq = -1;

  /** The end of the ten seconds in which it is now, in media time. */
  get endMs() {
    return Math.ceil(mediaMs(this.heard) / SLOT_MS) * SLOT_MS;
  }

  /** @param {number} nowMs When what was added since the last call has come. */
  note(nowMs) {
    if (this.heard <= this.#noted) return;
    this.#noted = this.heard;
    this.heardAtMs = nowMs;
  }

  /** @param {Utterance} utterance */
  addUtterance(utterance) {
    super.addUtterance(utterance);
    const { received_at, classified_at } = utterance.timing;
    if (utterance.seq <= this.#seq || !received_at || !classified_at) return;
    this.#seq = utterance.seq;
    this.delayMs = Math.max(Date.parse(classified_at) - Date.parse(received_at), 0);
  }

  /** @param {Window} window */
  addWindow(window) {
    super.addWindow(window);
    if (window.size_ms !== SLOT_MS || window.score === null) return;
    const { recent } = this;
    let place = recent.length;
    while (place > 0 && recent[place - 1].start_ms > window.start_ms) place -= 1;
    const known = recent[place - 1];
    if (known?.start_ms !== window.start_ms) recent.splice(place, 0, window);
    else if (window.seq >= known.seq) recent[place - 1] = window;
    while (recent.length > RECENT_MS / SLOT_MS) recent.shift();
  }
}
