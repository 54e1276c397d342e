/** The picture of the time line: lanes of a stretch of the session, and over them what is read, pointed at and played. */

import { clock } from "../shared/format.js";
import { language, text } from "../shared/i18n.js";
import { isWithin, loudnessPath, saidPaths, scorePaths, talkPath, toMs, toX } from "./lanes.js";
import { condense, ticks } from "./scale.js";
import { draw, label, set } from "./svg.js";

/** @typedef {import("../shared/vocabulary.js").Window} Window */
/** @typedef {import("../shared/vocabulary.js").Utterance} Utterance */
/** @typedef {import("./lanes.js").Across} Across */
/**
 * @typedef {object} Course
 * @property {Window[]} windows Of one size, in order.
 * @property {Utterance[]} said Drawn one by one where there is room; none where not all are at hand.
 * @property {number} lengthMs
 * @property {import("./view.js").Stretch} stretch Which is shown.
 * @property {number} seq Rises with every change of the windows.
 */

const MOODS = /** @type {const} */ (["positive", "neutral", "negative"]);
const DOT_PX = 6;
const BAR_PX = 3;
const ROOT_PX = 16;
/** In pixels at the usual size of type. */
const LANES = { score: { top: 4, height: 60 }, talk: { top: 72, height: 18 }, loudness: { top: 98, height: 20 } };
const [GUTTER, RIGHT, GROUND, HEIGHT] = [70, 8, 122, 142];

export class TimePicture {
  element = draw("svg", "", { "aria-hidden": "true" });
  #lanes = draw("g", "", {});
  #unheard = draw("rect", "time-unheard", {});
  #sight = draw("rect", "time-sight", { rx: 3 });
  #cursor = draw("line", "time-cursor", {});
  #played = draw("line", "time-played", {});
  #mark = draw("path", "time-mark", {});
  #drawn = "";
  /** @type {Across} */
  #across = { left: 0, width: 1, fromMs: 0, toMs: 1000 };
  /** @type {number | null} */
  #markMs = null;

  constructor() {
    this.element.append(this.#sight, this.#lanes, this.#unheard, this.#mark, this.#played, this.#cursor);
    this.showCursor(null);
    this.showPlayed(null);
  }

  /**
   * @param {Course} course
   * @param {number} room How wide it may be.
   */
  show({ windows, said, lengthMs, stretch, seq }, room) {
    const unit = parseFloat(getComputedStyle(document.documentElement).fontSize) / ROOT_PX;
    const width = Math.max(room - (GUTTER + RIGHT) * unit, 40);
    const content = [stretch.fromMs, stretch.toMs, width, unit, seq, windows.length, said.length, language()].join();
    if (content !== this.#drawn) {
      this.#drawn = content;
      this.#across = { left: GUTTER * unit, width, ...stretch };
      this.#drawAll(windows, said, unit);
      this.showMark(this.#markMs);
    }
    const from = toX(lengthMs, this.#across);
    set(this.#unheard, { x: from, width: Math.max(this.#across.left + width - from, 0) });
  }

  /**
   * The moment at a place on the screen.
   * @param {number} clientX
   */
  momentAt(clientX) {
    return toMs(clientX - this.element.getBoundingClientRect().left, this.#across);
  }

  /** @param {[number, number] | null} stretch In sight in the transcript, in milliseconds. */
  showSight(stretch) {
    const [from, to] = (stretch ?? [0, 0]).map((ms) => toX(ms, this.#across));
    set(this.#sight, { x: from, width: stretch ? Math.max(to - from, 3) : 0 });
  }

  /** @param {number | null} ms What is pointed at. */
  showCursor(ms) {
    this.#stand(this.#cursor, ms);
  }

  /** @param {number | null} ms What is being played. */
  showPlayed(ms) {
    this.#stand(this.#played, ms);
  }

  /** @param {number | null} ms Of the marked utterance. */
  showMark(ms) {
    this.#markMs = ms;
    const isSeen = ms !== null && isWithin(ms, this.#across);
    const unit = this.#across.left / GUTTER;
    set(this.#mark, { d: isSeen ? `M${toX(ms, this.#across)} ${GROUND * unit}l${-5 * unit} ${7 * unit}h${10 * unit}z` : "" });
  }

  /**
   * @param {Element} line
   * @param {number | null} ms
   */
  #stand(line, ms) {
    if (ms === null || !isWithin(ms, this.#across)) return line.setAttribute("visibility", "hidden");
    const x = toX(ms, this.#across);
    set(line, { x1: x, x2: x, visibility: "visible" });
  }

  /**
   * @param {Window[]} all
   * @param {Utterance[]} said
   * @param {number} unit
   */
  #drawAll(all, said, unit) {
    const { left, width, fromMs, toMs: untilMs } = this.#across;
    const windows = all.filter(({ start_ms, size_ms }) => start_ms < untilMs && start_ms + size_ms > fromMs);
    const lane = (/** @type {keyof typeof LANES} */ name) => ({
      top: LANES[name].top * unit,
      height: LANES[name].height * unit,
    });
    set(this.element, { width: left + width + RIGHT * unit, height: HEIGHT * unit });
    const tall = { y: LANES.score.top * unit, height: (GROUND - LANES.score.top) * unit };
    for (const each of [this.#unheard, this.#sight]) set(each, tall);
    for (const each of [this.#cursor, this.#played]) set(each, { y1: tall.y, y2: tall.y + tall.height });
    const bars = condense(windows, width / BAR_PX);
    const scores = scorePaths(bars, lane("score"), this.#across);
    const isDotted = said.length > 0 && said.length * DOT_PX < width;
    const dots = saidPaths(isDotted ? said : [], lane("score"), this.#across, 3 * unit);
    const middle = (LANES.score.top + LANES.score.height / 2) * unit;
    const end = left + width;
    this.#lanes.replaceChildren(
      draw("line", "time-rule", { x1: left, x2: end, y1: middle, y2: middle }),
      draw("line", "time-rule", { x1: left, x2: end, y1: GROUND * unit, y2: GROUND * unit }),
      ...Object.entries(LANES).map(([name, { top, height }]) => {
        const words = text(`session.lane.${name}`);
        return label(words, "end", left - 8 * unit, (top + height / 2) * unit + 4 * unit);
      }),
      label("+1", "end", left - 8 * unit, (LANES.score.top + 8) * unit),
      label("−1", "end", left - 8 * unit, (LANES.score.top + LANES.score.height) * unit),
      ...MOODS.map((mood) => draw("path", `time-score time-${mood}${isDotted ? " time-faint" : ""}`, { d: scores[mood] })),
      ...MOODS.map((mood) => draw("path", `time-said time-${mood}`, { d: dots[mood] })),
      draw("path", "time-talk", { d: talkPath(bars, lane("talk"), this.#across) }),
      draw("path", "time-loudness", { d: loudnessPath(bars, lane("loudness"), this.#across) }),
      ...ticks(this.#across, 70 * unit).map((ms) => {
        const x = toX(ms, this.#across);
        const anchor = x < left + 20 * unit ? "start" : x > end - 20 * unit ? "end" : "middle";
        return label(clock(ms), anchor, x, HEIGHT * unit - 4 * unit);
      }),
    );
  }
}
