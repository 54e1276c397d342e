/**
 * How long words take from being spoken to being shown. Of what comes while the page is open the time is taken when it
 * is painted here; of all else it is known when it was ready to be shown. Clocks of different machines are compared: what
 * cannot be is left out.
 */

import { seconds } from "../shared/format.js";
import { say } from "../shared/i18n.js";
import { draw, set } from "./svg.js";

/** @typedef {import("../shared/vocabulary.js").Utterance} Utterance */
/** @typedef {{atMs: number, delayMs: number}} Delay */

const MOST = 500;
const LATEST_MS = 120_000;
const HEIGHT = 44;

/** When utterances were painted, as they came. */
export class Showings {
  /** @type {Map<string, number>} By utterance, in milliseconds since 1970. */
  #times = new Map();

  /**
   * @param {string} utteranceId
   * @param {number} nowMs
   */
  note(utteranceId, nowMs) {
    this.#times.set(utteranceId, nowMs);
    if (this.#times.size > MOST) this.#times.delete(this.#times.keys().next().value ?? "");
  }

  /**
   * @param {Utterance[]} utterances
   * @returns {Delay[]}
   */
  delays(utterances) {
    return utterances.slice(-MOST).flatMap(({ utterance_id, start_ms, timing }) => {
      const spoken = timing.spoken_at ?? timing.received_at;
      const shown = this.#times.get(utterance_id) ?? (timing.classified_at ? Date.parse(timing.classified_at) : NaN);
      const delayMs = shown - Date.parse(spoken ?? "");
      return delayMs >= 0 && delayMs < LATEST_MS ? [{ atMs: start_ms, delayMs }] : [];
    });
  }
}

/**
 * The delay that this share of all does not exceed.
 * @param {Delay[]} delays At least one.
 * @param {number} share
 */
export function quantile(delays, share) {
  const sorted = delays.map(({ delayMs }) => delayMs).sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)];
}

/**
 * @param {HTMLElement} sentence
 * @param {HTMLElement} place Of the line, which the sentence describes.
 * @param {Delay[]} delays
 */
export function showDelays(sentence, place, delays) {
  place.hidden = delays.length < 2;
  if (delays.length === 0) return say(sentence, "delay.none");
  const [usual, slow] = [0.5, 0.95].map((share) => seconds(quantile(delays, share)));
  say(sentence, "delay.words", { usual, slow, count: delays.length });
  const picture = place.firstElementChild ?? place.appendChild(draw("svg", "delay", { "aria-hidden": "true" }));
  if (!picture.firstElementChild) picture.append(draw("path", "delay-line", {}));
  const width = Math.max(place.clientWidth, 100);
  set(picture, { width, height: HEIGHT });
  set(/** @type {Element} */ (picture.firstElementChild), { d: delayPath(delays, width, HEIGHT) });
}

/**
 * A line through the delays, from 0 at the ground to the longest.
 * @param {Delay[]} delays
 * @param {number} width
 * @param {number} height
 */
export function delayPath(delays, width, height) {
  const [from, to] = [delays[0].atMs, delays[delays.length - 1].atMs];
  const longest = Math.max(...delays.map(({ delayMs }) => delayMs), 1);
  const points = delays.map(({ atMs, delayMs }) => {
    const x = ((atMs - from) / Math.max(to - from, 1)) * width;
    return `${x.toFixed(1)} ${(2 + (height - 4) * (1 - delayMs / longest)).toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}
