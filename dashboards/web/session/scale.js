/** The time line's geometry: how far it reaches, where a moment lies, which moments are named. Pure. */

/** @typedef {import("../shared/vocabulary.js").Window} Window */

const STEPS_MS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400].map((seconds) => seconds * 1000);
export const MINUTE_MS = 60_000;
const LONG_MS = 15 * MINUTE_MS;
const SPARE = 16;

/** @param {number} shownMs Beyond some length a point per minute says more than a point per ten seconds. */
export function windowSize(shownMs) {
  return shownMs > LONG_MS ? MINUTE_MS : 10_000;
}

/**
 * The time that the line stands for. A session that goes on gets some room ahead, so that the line changes its scale now
 * and then and not with every word.
 * @param {number} lengthMs
 * @param {boolean} isLive
 */
export function reach(lengthMs, isLive) {
  if (!isLive) return Math.max(lengthMs, 1000);
  const step = Math.max(stepOf(lengthMs / SPARE), 30_000);
  return (Math.floor(lengthMs / step) + 1) * step;
}

/**
 * The moments that are named below the line, none nearer to another than `apartPx`.
 * @param {{fromMs: number, toMs: number, width: number}} across
 * @param {number} apartPx
 */
export function ticks({ fromMs, toMs, width }, apartPx) {
  const step = stepOf(((toMs - fromMs) * apartPx) / Math.max(width, 1));
  const first = Math.ceil(fromMs / step);
  return Array.from({ length: Math.max(Math.floor(toMs / step) - first + 1, 0) }, (_, n) => (first + n) * step);
}

/** @param {number} leastMs */
function stepOf(leastMs) {
  return STEPS_MS.find((step) => step >= leastMs) ?? Math.ceil(leastMs / 3_600_000) * 3_600_000;
}

/**
 * Neighbouring windows as one, so that not more than `most` are left: sums where they are counted, means where they are
 * measured, weighed by what was measured.
 * @param {Window[]} windows Of one size, in order.
 * @param {number} most
 */
export function condense(windows, most) {
  const each = Math.ceil(windows.length / Math.max(most, 1));
  if (each <= 1) return windows;
  const size_ms = windows[0].size_ms * each;
  /** @type {Map<number, Window[]>} */
  const groups = new Map();
  for (const window of windows) {
    const start_ms = Math.floor(window.start_ms / size_ms) * size_ms;
    groups.set(start_ms, [...(groups.get(start_ms) ?? []), window]);
  }
  return [...groups].map(([start_ms, group]) => join(group, start_ms, size_ms));
}

/**
 * @param {Window[]} group
 * @param {number} start_ms
 * @param {number} size_ms
 * @returns {Window}
 */
function join(group, start_ms, size_ms) {
  const sum = (/** @type {(window: Window) => number} */ of) => group.reduce((all, window) => all + of(window), 0);
  const judged = (/** @type {Window} */ window) => window.positive + window.neutral + window.negative;
  const scored = sum(judged);
  const spoken = sum(({ loudness_dbfs, talk_ms }) => (loudness_dbfs === null ? 0 : talk_ms));
  return {
    ...group[group.length - 1],
    start_ms,
    size_ms,
    utterances: sum((window) => window.utterances),
    positive: sum((window) => window.positive),
    neutral: sum((window) => window.neutral),
    negative: sum((window) => window.negative),
    talk_ms: sum((window) => window.talk_ms),
    silence_ms: sum((window) => window.silence_ms),
    score: scored ? sum((window) => (window.score ?? 0) * judged(window)) / scored : null,
    loudness_dbfs: spoken ? sum((window) => (window.loudness_dbfs ?? 0) * window.talk_ms) / spoken : null,
  };
}
