/** The time line at any scale: the buttons for it, and what is shown of the session at the reader's place. */

import { find } from "../shared/elements.js";
import { mediaMs } from "../shared/format.js";
import { MINUTE_MS, reach, windowSize } from "./scale.js";
import { ZOOM } from "./time-line.js";
import { View } from "./view.js";

/** @typedef {import("../shared/story.js").Story} Story */
/** @typedef {import("./passage.js").Passage} Passage */
/** @typedef {import("./time-line.js").TimeLine} TimeLine */

export class Zoom {
  #view = new View();
  #timeLine;
  #onChange;

  /**
   * @param {TimeLine} timeLine
   * @param {() => void} onChange Called when `show` is due.
   */
  constructor(timeLine, onChange) {
    this.#timeLine = timeLine;
    this.#onChange = onChange;
    const factors = { "zoom-in": ZOOM, "zoom-out": 1 / ZOOM, "zoom-all": 0 };
    for (const [id, factor] of Object.entries(factors)) {
      find(id).addEventListener("click", () => this.zoom(factor, timeLine.atMs));
    }
  }

  /**
   * @param {number} factor Closer (above 1) or away; 0 is all the way.
   * @param {number} ms What keeps its place.
   */
  zoom(factor, ms) {
    if (factor === 0) this.#view.showAll();
    else this.#view.zoom(factor, ms);
    this.#onChange();
  }

  /** @param {number} share Of what is shown. */
  pan(share) {
    this.#view.pan(share);
    this.#onChange();
  }

  /**
   * @param {Story} story
   * @param {Passage} passage What is said is drawn one by one where all of it is at hand.
   * @param {[number, number] | null} sight What is in sight in the transcript.
   * @param {boolean} isLive
   * @returns {import("../shared/vocabulary.js").Window[]} What is drawn.
   */
  show(story, passage, sight, isLive) {
    const lengthMs = mediaMs(story.heard);
    const stretch = this.#view.stretch(reach(lengthMs, isLive), sight);
    const { fromMs, toMs } = stretch;
    const isAtHand = passage.covers(fromMs) && passage.covers(Math.min(toMs, lengthMs));
    const said = isAtHand
      ? passage.utterances.filter((each) => each.sentiment !== null && each.start_ms < toMs && each.end_ms > fromMs)
      : [];
    const windows = windowsOf(story, stretch);
    this.#timeLine.show({ windows, said, lengthMs, stretch, seq: story.total?.seq ?? 0 });
    this.#timeLine.picture.showSight(sight);
    find("zoom-in").setAttribute("aria-disabled", String(!this.#view.canCloseIn));
    for (const id of ["zoom-out", "zoom-all"]) find(id).setAttribute("aria-disabled", String(!this.#view.isPart));
    return windows;
  }
}

/**
 * As fine as there is room for, where they reach back so far: of a very long session the last fine ones alone are there.
 * @param {Story} story
 * @param {import("./view.js").Stretch} stretch
 */
function windowsOf(story, { fromMs, toMs }) {
  const windows = story.series(windowSize(toMs - fromMs));
  return (windows[0]?.start_ms ?? 0) <= fromMs ? windows : story.series(MINUTE_MS);
}
