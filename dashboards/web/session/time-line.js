/**
 * The time line: sentiment, talk and loudness of a session or of a part of it, to be read, pointed at, moved along and
 * looked at more closely. For a screen reader and the keyboard it is a slider whose value is a moment.
 */

import { clock } from "../shared/format.js";
import { Pinch } from "./pinch.js";
import { set } from "./svg.js";
import { TimePicture } from "./time-picture.js";

/**
 * @typedef {object} Listener
 * @property {(ms: number | null) => void} onPoint What is pointed at; null is nothing any more.
 * @property {(ms: number, isDone: boolean) => void} onSeek Where to go; not done while it may still move.
 * @property {(ms: number) => void} onPlay From where to be heard.
 * @property {(factor: number, ms: number) => void} onZoom Closer (above 1) or away, about a moment; 0 is all the way.
 * @property {(share: number) => void} onPan Along, by a share of what is shown.
 */

const PAGE_STEPS = 10;
export const ZOOM = 2;
const WHEEL_PX = 120;

export class TimeLine {
  picture = new TimePicture();
  #place;
  #listener;
  #pinch = new Pinch();
  #lengthMs = 0;
  #stepMs = 10_000;
  #atMs = 0;
  #isHeld = false;

  /**
   * @param {HTMLElement} place The slider.
   * @param {Listener} listener
   */
  constructor(place, listener) {
    this.#place = place;
    this.#listener = listener;
    place.append(this.picture.element);
    place.addEventListener("pointermove", (event) => this.#follow(event));
    for (const type of ["pointerleave", "blur"]) place.addEventListener(type, () => listener.onPoint(null));
    place.addEventListener("pointerdown", (event) => this.#hold(event));
    place.addEventListener("pointerup", (event) => this.#release(event));
    place.addEventListener("pointercancel", (event) => this.#letGo(event));
    place.addEventListener("dblclick", (event) => listener.onPlay(this.#momentOf(event)));
    place.addEventListener("wheel", (event) => this.#heedWheel(event), { passive: false });
    place.addEventListener("keydown", (event) => this.#heedKey(event));
  }

  /** The moment where the keyboard is. */
  get atMs() {
    return this.#atMs;
  }

  /** @param {import("./time-picture.js").Course} course */
  show(course) {
    this.#lengthMs = course.lengthMs;
    this.#stepMs = course.windows[0]?.size_ms ?? 10_000;
    this.picture.show(course, this.#place.clientWidth);
    set(this.#place, { "aria-valuemin": 0, "aria-valuemax": Math.floor(course.lengthMs / 1000) });
  }

  /**
   * @param {number | null} ms What is pointed at.
   * @param {string} words What there is to say of it.
   */
  point(ms, words) {
    this.picture.showCursor(ms);
    if (ms !== null) this.#tell(ms, words);
  }

  /**
   * Where the keyboard begins while nothing is pointed at.
   * @param {number} ms
   */
  stand(ms) {
    this.#tell(ms, clock(ms));
  }

  /**
   * @param {number} ms
   * @param {string} words
   */
  #tell(ms, words) {
    this.#atMs = ms;
    set(this.#place, { "aria-valuenow": Math.floor(ms / 1000), "aria-valuetext": words });
  }

  /** @param {{clientX: number}} event */
  #momentOf({ clientX }) {
    return Math.min(this.picture.momentAt(clientX), this.#lengthMs);
  }

  /** @param {PointerEvent} event */
  #follow(event) {
    const pinched = this.#pinch.move(event);
    if (pinched) return this.#listener.onZoom(pinched.factor, this.picture.momentAt(pinched.x));
    const ms = this.#momentOf(event);
    if (this.#isHeld) this.#listener.onSeek(ms, false);
    else this.#listener.onPoint(ms);
  }

  /** @param {PointerEvent} event */
  #hold(event) {
    if (event.button !== 0) return;
    this.#place.setPointerCapture(event.pointerId);
    this.#pinch.put(event);
    this.#isHeld = !this.#pinch.isOn; // two fingers go nowhere
    if (this.#isHeld) this.#listener.onSeek(this.#momentOf(event), false);
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (this.#isHeld) this.#listener.onSeek(this.#momentOf(event), true);
    this.#letGo(event);
  }

  /** @param {PointerEvent} event */
  #letGo(event) {
    this.#pinch.lift(event);
    this.#isHeld = false;
  }

  /** @param {WheelEvent} event Two fingers on a touchpad come as a wheel with the control key. */
  #heedWheel(event) {
    const isAlong = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!event.ctrlKey && !isAlong) return;
    event.preventDefault();
    if (isAlong) this.#listener.onPan(event.deltaX / Math.max(this.#place.clientWidth, 1));
    else this.#listener.onZoom(ZOOM ** (-event.deltaY / WHEEL_PX), this.picture.momentAt(event.clientX));
  }

  /** @param {KeyboardEvent} event */
  #heedKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const step = this.#stepMs;
    const seek = (/** @type {number} */ ms) => () => this.#listener.onSeek(Math.min(Math.max(ms, 0), this.#lengthMs), true);
    const zoom = (/** @type {number} */ factor) => () => this.#listener.onZoom(factor, this.#atMs);
    const play = () => this.#listener.onPlay(this.#atMs);
    /** @type {Record<string, () => void>} */
    const deeds = {
      ArrowRight: seek(this.#atMs + step),
      ArrowUp: seek(this.#atMs + step),
      ArrowLeft: seek(this.#atMs - step),
      ArrowDown: seek(this.#atMs - step),
      PageUp: seek(this.#atMs + PAGE_STEPS * step),
      PageDown: seek(this.#atMs - PAGE_STEPS * step),
      Home: seek(0),
      End: seek(this.#lengthMs),
      Enter: play,
      " ": play,
      "+": zoom(ZOOM),
      "=": zoom(ZOOM),
      "-": zoom(1 / ZOOM),
      0: zoom(0),
    };
    const deed = deeds[event.key];
    if (!deed) return;
    event.preventDefault();
    deed();
  }
}
