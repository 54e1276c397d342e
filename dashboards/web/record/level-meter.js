/** How loud the microphone is, and a hint when that will not do. */

import { say } from "../shared/i18n.js";
import { dbfs, Hints } from "./loudness.js";

/** @typedef {import("../recorder/microphone.js").Frame} Frame */

const FLOOR_DBFS = -60;

export class LevelMeter {
  #meter;
  #fill;
  #hint;
  #hints = new Hints();

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
  show(frame) {
    this.#set(Math.min(1, Math.max(0, 1 - dbfs(frame.rms) / FLOOR_DBFS)));
    this.#tell(this.#hints.hear(frame));
  }

  /** Nothing is being heard. */
  rest() {
    this.#set(0);
    this.#hints = new Hints();
    this.#tell("");
  }

  /** @param {number} share */
  #set(share) {
    this.#fill.style.setProperty("transform", `scaleX(${share.toFixed(3)})`);
    this.#meter.setAttribute("aria-valuenow", String(Math.round(share * 100)));
  }

  /** @param {import("./loudness.js").Hint} hint */
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
