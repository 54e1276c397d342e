/** How loud the microphone is, and a hint when that will not do. */

import { say } from "../shared/i18n.js";

/** @typedef {import("../recorder/microphone.js").Frame} Frame */

const FLOOR_DBFS = -60;
const QUIET_DBFS = -50;
const CLIPPED_PEAK = 0.985;
/** A hint stays for so many frames of 100 ms, so that it can be read. */
const HINT_FRAMES = 25;
/** Quiet is only worth a word when nothing louder came for so many frames: people pause. */
const QUIET_FRAMES = 80;

export class LevelMeter {
  #meter;
  #fill;
  #hint;
  #sinceClipped = HINT_FRAMES;
  #sinceLoud = 0;

  /**
   * @param {HTMLElement} meter
   * @param {HTMLElement} fill
   * @param {HTMLElement} hint
   */
  constructor(meter, fill, hint) {
    this.#meter = meter;
    this.#fill = fill;
    this.#hint = hint;
  }

  /** @param {Frame} frame */
  show({ peak, rms }) {
    const dbfs = 20 * Math.log10(Math.max(rms, 1e-6));
    this.#set(Math.min(1, Math.max(0, 1 - dbfs / FLOOR_DBFS)));
    this.#sinceClipped = peak >= CLIPPED_PEAK ? 0 : this.#sinceClipped + 1;
    this.#sinceLoud = dbfs > QUIET_DBFS ? 0 : this.#sinceLoud + 1;
    if (this.#sinceClipped < HINT_FRAMES) this.#tell("clipped");
    else if (this.#sinceLoud > QUIET_FRAMES) this.#tell("quiet");
    else this.#tell("");
  }

  /** Nothing is being heard. */
  rest() {
    this.#set(0);
    this.#sinceLoud = 0;
    this.#tell("");
  }

  /** @param {number} share */
  #set(share) {
    this.#fill.style.setProperty("transform", `scaleX(${share.toFixed(3)})`);
    this.#meter.setAttribute("aria-valuenow", String(Math.round(share * 100)));
  }

  /** @param {string} hint */
  #tell(hint) {
    if (this.#meter.dataset.hint === hint) return;
    this.#meter.dataset.hint = hint;
    if (hint) {
      say(this.#hint, `record.level.${hint}`);
    } else {
      delete this.#hint.dataset.say;
      this.#hint.textContent = "";
    }
  }
}
