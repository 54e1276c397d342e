/**
 * The time line: sentiment, talk and loudness of a session from its beginning, to be read, pointed at and moved along.
 * For a screen reader and the keyboard it is a slider whose value is a moment.
 */

import { clock } from "../shared/format.js";
import { language, text } from "../shared/i18n.js";
import { loudnessPath, saidPaths, scorePaths, talkPath, toMs, toX } from "./lanes.js";
import { condense, reach, ticks } from "./scale.js";
import { draw, label, set } from "./svg.js";

/** @typedef {import("../shared/vocabulary.js").Window} Window */
/** @typedef {import("../shared/vocabulary.js").Utterance} Utterance */
/** @typedef {import("./lanes.js").Across} Across */
/**
 * @typedef {object} Listener
 * @property {(ms: number | null) => void} onPoint What is pointed at; null is nothing any more.
 * @property {(ms: number, isDone: boolean) => void} onSeek Where to go; not done while it may still move.
 */
/**
 * @typedef {object} Course
 * @property {Window[]} windows Of one size, in order.
 * @property {Utterance[]} said Drawn one by one where there is room; none where not all are at hand.
 * @property {number} lengthMs
 * @property {boolean} isLive
 * @property {number} seq Rises with every change of the windows.
 */

const MOODS = /** @type {const} */ (["positive", "neutral", "negative"]);
const DOT_PX = 6;
const BAR_PX = 3;
const ROOT_PX = 16;
const PAGE_STEPS = 10;
/** In pixels at the usual size of type. */
const LANES = { score: { top: 4, height: 60 }, talk: { top: 72, height: 18 }, loudness: { top: 98, height: 20 } };
const [GUTTER, RIGHT, GROUND, HEIGHT] = [70, 8, 122, 142];

export class TimeLine {
  #place;
  #listener;
  #picture = draw("svg", "", { "aria-hidden": "true" });
  #lanes = draw("g", "", {});
  #unheard = draw("rect", "time-unheard", {});
  #sight = draw("rect", "time-sight", { rx: 3 });
  #cursor = draw("line", "time-cursor", {});
  #mark = draw("path", "time-mark", {});
  #drawn = "";
  /** @type {Across} */
  #across = { left: 0, width: 1, reachMs: 1000 };
  #lengthMs = 0;
  #stepMs = 10_000;
  #atMs = 0;
  /** @type {number | null} */
  #markMs = null;
  #isHeld = false;

  /**
   * @param {HTMLElement} place The slider.
   * @param {Listener} listener
   */
  constructor(place, listener) {
    this.#place = place;
    this.#listener = listener;
    this.#picture.append(this.#unheard, this.#sight, this.#lanes, this.#mark, this.#cursor);
    this.#cursor.setAttribute("visibility", "hidden");
    place.append(this.#picture);
    place.addEventListener("pointermove", (event) => this.#follow(event));
    for (const type of ["pointerleave", "blur"]) place.addEventListener(type, () => listener.onPoint(null));
    place.addEventListener("pointerdown", (event) => this.#hold(event));
    place.addEventListener("pointerup", (event) => this.#release(event));
    place.addEventListener("pointercancel", () => void (this.#isHeld = false));
    place.addEventListener("keydown", (event) => this.#heedKey(event));
  }

  /** @param {Course} course */
  show(course) {
    const { windows, said, lengthMs, isLive, seq } = course;
    const unit = parseFloat(getComputedStyle(document.documentElement).fontSize) / ROOT_PX;
    const width = Math.max(this.#place.clientWidth - (GUTTER + RIGHT) * unit, 40);
    const reachMs = reach(lengthMs, isLive);
    const content = [reachMs, width, unit, seq, windows.length, said.length, language()].join();
    this.#lengthMs = lengthMs;
    this.#stepMs = windows[0]?.size_ms ?? 10_000;
    if (content !== this.#drawn) {
      this.#drawn = content;
      this.#across = { left: GUTTER * unit, width, reachMs };
      this.#drawAll(windows, said, unit);
      this.#drawMark();
    }
    const from = toX(lengthMs, this.#across);
    set(this.#unheard, { x: from, width: Math.max(this.#across.left + width - from, 0) });
    set(this.#place, { "aria-valuemin": 0, "aria-valuemax": Math.floor(lengthMs / 1000) });
  }

  /**
   * Which stretch is in sight in the transcript.
   * @param {[number, number] | null} stretch In milliseconds.
   */
  showSight(stretch) {
    const [from, to] = (stretch ?? [0, 0]).map((ms) => toX(ms, this.#across));
    set(this.#sight, { x: from, width: stretch ? Math.max(to - from, 3) : 0 });
  }

  /**
   * @param {number | null} ms What is pointed at.
   * @param {string} words What there is to say of it.
   */
  point(ms, words) {
    if (ms === null) return this.#cursor.setAttribute("visibility", "hidden");
    const x = toX(ms, this.#across);
    set(this.#cursor, { x1: x, x2: x, visibility: "visible" });
    this.#tell(ms, words);
  }

  /**
   * Where the keyboard begins while nothing is pointed at.
   * @param {number} ms
   */
  stand(ms) {
    this.#tell(ms, clock(ms));
  }

  /** @param {number | null} ms Of the marked utterance. */
  mark(ms) {
    this.#markMs = ms;
    this.#drawMark();
  }

  #drawMark() {
    const x = toX(this.#markMs ?? 0, this.#across);
    const unit = this.#across.left / GUTTER;
    set(this.#mark, { d: this.#markMs === null ? "" : `M${x} ${GROUND * unit}l${-5 * unit} ${7 * unit}h${10 * unit}z` });
  }

  /**
   * @param {number} ms
   * @param {string} words
   */
  #tell(ms, words) {
    this.#atMs = ms;
    set(this.#place, { "aria-valuenow": Math.floor(ms / 1000), "aria-valuetext": words });
  }

  /**
   * @param {Window[]} windows
   * @param {Utterance[]} said
   * @param {number} unit
   */
  #drawAll(windows, said, unit) {
    const { left, width, reachMs } = this.#across;
    const lane = (/** @type {keyof typeof LANES} */ name) => ({
      top: LANES[name].top * unit,
      height: LANES[name].height * unit,
    });
    set(this.#picture, { width: left + width + RIGHT * unit, height: HEIGHT * unit });
    const tall = { y: LANES.score.top * unit, height: (GROUND - LANES.score.top) * unit };
    for (const each of [this.#unheard, this.#sight]) set(each, tall);
    set(this.#cursor, { y1: tall.y, y2: tall.y + tall.height });
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
      ...ticks(reachMs, width, 70 * unit).map((ms) => {
        const x = toX(ms, this.#across);
        const anchor = ms === 0 ? "start" : x > end - 20 * unit ? "end" : "middle";
        return label(clock(ms), anchor, x, HEIGHT * unit - 4 * unit);
      }),
    );
  }

  /** @param {PointerEvent} event */
  #momentOf(event) {
    const x = event.clientX - this.#picture.getBoundingClientRect().left;
    return Math.min(toMs(x, this.#across), this.#lengthMs);
  }

  /** @param {PointerEvent} event */
  #follow(event) {
    const ms = this.#momentOf(event);
    if (this.#isHeld) this.#listener.onSeek(ms, false);
    else this.#listener.onPoint(ms);
  }

  /** @param {PointerEvent} event */
  #hold(event) {
    if (event.button !== 0) return;
    this.#isHeld = true;
    this.#place.setPointerCapture(event.pointerId);
    this.#listener.onSeek(this.#momentOf(event), false);
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#listener.onSeek(this.#momentOf(event), true);
  }

  /** @param {KeyboardEvent} event */
  #heedKey(event) {
    const step = this.#stepMs;
    /** @type {Record<string, number>} */
    const moves = {
      ArrowRight: this.#atMs + step,
      ArrowUp: this.#atMs + step,
      ArrowLeft: this.#atMs - step,
      ArrowDown: this.#atMs - step,
      PageUp: this.#atMs + PAGE_STEPS * step,
      PageDown: this.#atMs - PAGE_STEPS * step,
      Home: 0,
      End: this.#lengthMs,
    };
    const ms = moves[event.key];
    if (ms === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.#listener.onSeek(Math.min(Math.max(ms, 0), this.#lengthMs), true);
  }
}
