/**
 * The windows in which nobody talks: they are neither stored nor sent, but follow from the whole-session window.
 * `undertone/windows.py` is the original. Pure.
 */

/** @typedef {import("./vocabulary.js").Window} Window */

const SIZES_MS = [10_000, 60_000];

/** @param {Window} window */
export function keyOf({ size_ms, start_ms }) {
  return `${size_ms} ${start_ms}`;
}

/**
 * How long the session is as of its whole-session window.
 * @param {Window} whole
 */
export function lengthOf({ talk_ms, silence_ms }) {
  return talk_ms + silence_ms;
}

/** @param {Window} window */
export function isEmpty({ utterances, talk_ms }) {
  return utterances === 0 && talk_ms === 0;
}

/**
 * Empty windows for every place that ends behind `fromMs`.
 * @param {Window} whole
 * @param {number} fromMs
 * @returns {Window[]}
 */
export function emptyWindows(whole, fromMs) {
  const lengthMs = lengthOf(whole);
  return SIZES_MS.flatMap((sizeMs) => {
    const first = Math.floor(fromMs / sizeMs);
    const count = Math.max(Math.ceil(lengthMs / sizeMs) - first, 0);
    return Array.from({ length: count }, (_, n) => emptyWindow(whole, sizeMs, (first + n) * sizeMs, lengthMs));
  });
}

/**
 * @param {Window} whole
 * @param {number} size_ms
 * @param {number} start_ms
 * @param {number} lengthMs
 * @returns {Window}
 */
function emptyWindow(whole, size_ms, start_ms, lengthMs) {
  const silence_ms = Math.min(size_ms, lengthMs - start_ms);
  return {
    ...whole,
    size_ms,
    start_ms,
    final: whole.final || silence_ms === size_ms,
    utterances: 0,
    positive: 0,
    neutral: 0,
    negative: 0,
    score: null,
    score_min: null,
    score_max: null,
    talk_ms: 0,
    silence_ms,
    longest_pause_ms: silence_ms,
    words: 0,
    words_per_minute: null,
    loudness_dbfs: null,
  };
}
