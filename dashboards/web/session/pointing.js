/** One moment of a session, pointed at in the transcript or on the time line, and shown in both. */

import { find } from "../shared/elements.js";
import { showReadout } from "./readout.js";

/** @typedef {import("../shared/transcript.js").Transcript} Transcript */
/** @typedef {import("../shared/vocabulary.js").Utterance} Utterance */
/** @typedef {import("../shared/vocabulary.js").Window} Window */
/** @typedef {import("./time-line.js").TimeLine} TimeLine */
/** @typedef {import("./passage.js").Passage} Passage */

/** So long after its end an utterance is still the one that is pointed at. */
const LINGER_MS = 1500;

export class Pointing {
  /** @type {Window[]} Of one size, in order. */
  windows = [];
  #transcript;
  #timeLine;
  #passage;
  #isPointing = false;
  /** @type {HTMLElement | null} */
  #row = null;
  /** @type {string | null} */
  #marked = null;

  /**
   * @param {Transcript} transcript
   * @param {TimeLine} timeLine
   * @param {Passage} passage
   */
  constructor(transcript, timeLine, passage) {
    this.#transcript = transcript;
    this.#timeLine = timeLine;
    this.#passage = passage;
    const { list } = transcript;
    for (const type of ["mouseover", "focusin"]) list.addEventListener(type, (event) => this.#pointAtRow(event.target));
    for (const type of ["mouseleave", "focusout"]) list.addEventListener(type, () => this.pointAt(null));
  }

  /** @param {number | null} ms Null: nothing any more. */
  pointAt(ms) {
    this.#point(ms, ms === null ? null : this.#saidAt(ms));
  }

  /** @param {Utterance | null} utterance To be found again, by its link; null is none. */
  mark(utterance) {
    if (this.#marked) this.#transcript.row(this.#marked)?.removeAttribute("aria-current");
    this.#marked = utterance?.utterance_id ?? null;
    this.#timeLine.picture.showMark(utterance?.start_ms ?? null);
    this.settle();
  }

  /** After every change of what is shown. */
  settle() {
    if (this.#marked) this.#transcript.row(this.#marked)?.setAttribute("aria-current", "true");
    const [first] = this.#transcript.place.inSight ?? [];
    const read = first && this.#passage.find(first.id);
    if (read && !this.#isPointing) this.#timeLine.stand(read.start_ms);
  }

  /** @param {EventTarget | null} part */
  #pointAtRow(part) {
    const row = part instanceof Element ? part.closest("li") : null;
    const utterance = row && this.#passage.find(row.id);
    if (utterance) this.#point((utterance.start_ms + utterance.end_ms) / 2, utterance);
  }

  /**
   * @param {number | null} ms
   * @param {Utterance | null} utterance What is said then.
   */
  #point(ms, utterance) {
    this.#isPointing = ms !== null;
    this.#row?.classList.remove("row-pointed");
    this.#row = utterance && this.#transcript.row(utterance.utterance_id);
    this.#row?.classList.add("row-pointed");
    this.#timeLine.point(ms, showReadout(find("readout"), ms, this.windows, utterance));
  }

  /**
   * @param {number} ms
   * @returns {Utterance | null}
   */
  #saidAt(ms) {
    const said = this.#passage.covers(ms) ? this.#passage.at(ms) : null;
    return said && said.start_ms <= ms && ms <= said.end_ms + LINGER_MS ? said : null;
  }
}
