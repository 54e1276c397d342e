/** The mood of the last minutes as a small picture: a bar for each ten seconds, up from the middle or down. For the eye only. */

import { scorePaths } from "../session/lanes.js";
import { draw, set } from "../session/svg.js";
import { RECENT_MS } from "./watched.js";

/** @typedef {import("./watched.js").Watched} Watched */

/** In units of the picture, which is as wide as its card. */
const [WIDTH, HEIGHT] = [300, 48];
/** @type {import("../shared/vocabulary.js").Label[]} */
const MOODS = ["positive", "neutral", "negative"];

export class MoodLine {
  element = draw("svg", "mood-line", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  #paths = MOODS.map((mood) => draw("path", `time-${mood}`, {}));

  constructor() {
    const middle = { x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 };
    this.element.append(draw("line", "time-rule", middle), ...this.#paths);
  }

  /** @param {Watched} watched */
  show({ recent, endMs }) {
    const across = { left: 0, width: WIDTH, fromMs: endMs - RECENT_MS, toMs: endMs };
    const shown = recent.filter(({ start_ms }) => start_ms >= across.fromMs);
    const paths = scorePaths(shown, { top: 0, height: HEIGHT }, across);
    MOODS.forEach((mood, n) => set(this.#paths[n], { d: paths[mood] }));
  }
}
