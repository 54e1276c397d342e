/** When the loudness of a microphone is worth a word: pure. */

/** @typedef {Pick<import("../recorder/microphone.js").Frame, "peak" | "rms">} Loudness */
/** @typedef {"" | "clipped" | "quiet" | "silent"} Hint */

const QUIET_DBFS = -50;
const CLIPPED_PEAK = 0.985;
/** A hint stays for so many frames of 100 ms, so that it can be read. */
const HINT_FRAMES = 25;
/** Quiet is only worth a word when nothing louder came for so many frames: people pause. */
const QUIET_FRAMES = 80;
/** A microphone that works is never perfectly silent: so many frames of that say that it is switched off. */
const SILENT_FRAMES = 30;

/** @param {number} rms Of full scale 1. */
export function dbfs(rms) {
  return 20 * Math.log10(Math.max(rms, 1e-6));
}

export class Hints {
  #sinceClipped = HINT_FRAMES;
  #sinceLoud = 0;
  #sinceSound = 0;

  /**
   * What to say after one more frame.
   * @param {Loudness} frame
   * @returns {Hint}
   */
  hear({ peak, rms }) {
    this.#sinceClipped = peak >= CLIPPED_PEAK ? 0 : this.#sinceClipped + 1;
    this.#sinceLoud = dbfs(rms) > QUIET_DBFS ? 0 : this.#sinceLoud + 1;
    this.#sinceSound = peak > 0 ? 0 : this.#sinceSound + 1;
    if (this.#sinceClipped < HINT_FRAMES) return "clipped";
    if (this.#sinceSound >= SILENT_FRAMES) return "silent";
    return this.#sinceLoud > QUIET_FRAMES ? "quiet" : "";
  }
}
