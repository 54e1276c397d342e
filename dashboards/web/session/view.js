/**
 * Which stretch of a session the time line shows: all of it, or a part. A part goes along with the reader: what is in
 * sight in the transcript is in it, once the reader moves. Pure.
 */

/** @typedef {{fromMs: number, toMs: number}} Stretch */

/** Less is not shown: the transcript is the finer view. */
export const LEAST_MS = 60_000;

export class View {
  /** How long the part is; null is all. */
  /** @type {number | null} */
  #spanMs = null;
  #fromMs = 0;
  #reachMs = 0;
  #seen = "";

  /** Whether it shows a part. */
  get isPart() {
    return this.#spanMs !== null;
  }

  /** Whether a shorter part can be shown. */
  get canCloseIn() {
    return (this.#spanMs ?? this.#reachMs) > LEAST_MS;
  }

  /**
   * The stretch that is to be shown now.
   * @param {number} reachMs What there is.
   * @param {[number, number] | null} sight What is in sight in the transcript.
   * @returns {Stretch}
   */
  stretch(reachMs, sight) {
    this.#reachMs = reachMs;
    const hasMoved = String(sight) !== this.#seen;
    this.#seen = String(sight);
    if (this.#spanMs !== null && this.#spanMs >= reachMs) this.#spanMs = null;
    if (this.#spanMs === null) return { fromMs: 0, toMs: reachMs };
    if (sight && hasMoved) this.#include(sight, this.#spanMs);
    this.#fromMs = Math.min(Math.max(this.#fromMs, 0), reachMs - this.#spanMs);
    return { fromMs: this.#fromMs, toMs: this.#fromMs + this.#spanMs };
  }

  /**
   * Comes nearer (a factor above 1) or goes away, about a moment that keeps its place.
   * @param {number} factor
   * @param {number} aboutMs
   */
  zoom(factor, aboutMs) {
    const before = this.#spanMs ?? this.#reachMs;
    const span = Math.max(before / factor, Math.min(LEAST_MS, before));
    const from = this.#spanMs === null ? 0 : this.#fromMs;
    this.#fromMs = aboutMs - ((aboutMs - from) / Math.max(before, 1)) * span;
    this.#spanMs = span < this.#reachMs ? span : null;
  }

  /**
   * Moves along, by a share of what is shown.
   * @param {number} share
   */
  pan(share) {
    this.#fromMs += share * (this.#spanMs ?? 0);
  }

  showAll() {
    this.#spanMs = null;
  }

  /**
   * @param {[number, number]} sight
   * @param {number} span
   */
  #include([from, to], span) {
    if (from >= this.#fromMs && to <= this.#fromMs + span) return;
    if (to - from > span || to < this.#fromMs || from > this.#fromMs + span) this.#fromMs = (from + to - span) / 2;
    else this.#fromMs = from < this.#fromMs ? from : to - span;
  }
}
