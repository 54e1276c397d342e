/**
 * How a live session stands: its mood now, where that goes, and what of it needs somebody's attention. Pure.
 *
 * `about.attention.*` among the messages, and docs/statistics.md, say the same in words.
 */

import { moodOf } from "../session/lanes.js";
import { RECENT_MS } from "./watched.js";

/** @typedef {import("./watched.js").Watched} Watched */
/** @typedef {import("../shared/vocabulary.js").Window} Window */
/** @typedef {"low" | "falling" | "unheard" | "late"} Need */
/** @typedef {"up" | "down" | "steady"} Trend */
/**
 * @typedef {object} Standing
 * @property {number | null} score The mean of the last minute; null where nothing in it was judged.
 * @property {import("../shared/vocabulary.js").Label | null} mood The same as a word.
 * @property {Trend | null} trend Against the four minutes before; null where either has too little to go by.
 * @property {number} unheardMs How long nothing new of it has come.
 * @property {Need[]} needs
 * @property {number} rank Higher needs more attention; 0 needs none.
 */

/** Mood now is that of the last minute heard. */
export const NOW_MS = 60_000;
/** A mean score at or below this is low. */
export const LOW = -0.3;
/** So much lower than in the four minutes before is falling, so much higher rising. */
export const TURN = 0.3;
/** A mean of fewer judged utterances than this neither alarms nor shows a trend. */
export const LEAST_JUDGED = 2;
/** Words that took longer than this, from the end of their speech, are late. */
export const LATE_MS = 5000;
/** Even in silence something is heard every ten seconds. */
export const UNHEARD_MS = 25_000;

/** Each weighs more than all behind it together. @type {Need[]} */
const NEEDS = ["low", "falling", "unheard", "late"];

/**
 * @param {Watched} watched
 * @param {number} nowMs By the clock of `heardAtMs`.
 * @returns {Standing}
 */
export function standing({ recent, endMs, delayMs, heardAtMs }, nowMs) {
  const last = recent.filter(({ start_ms }) => start_ms >= endMs - RECENT_MS);
  const now = mean(last.filter(({ start_ms }) => start_ms >= endMs - NOW_MS));
  const before = mean(last.filter(({ start_ms }) => start_ms < endMs - NOW_MS));
  const isFirm = now.judged >= LEAST_JUDGED;
  const turn = isFirm && before.judged >= LEAST_JUDGED ? (now.score ?? 0) - (before.score ?? 0) : null;
  const unheardMs = nowMs - heardAtMs;
  const has = {
    low: isFirm && now.score !== null && now.score <= LOW,
    falling: turn !== null && turn <= -TURN,
    unheard: unheardMs >= UNHEARD_MS,
    late: delayMs !== null && delayMs > LATE_MS,
  };
  const needs = NEEDS.filter((need) => has[need]);
  return {
    score: now.score,
    mood: now.score === null ? null : moodOf(now.score),
    trend: turn === null ? null : Math.abs(turn) < TURN ? "steady" : turn > 0 ? "up" : "down",
    unheardMs,
    needs,
    rank: needs.reduce((sum, need) => sum + 2 ** (NEEDS.length - 1 - NEEDS.indexOf(need)), 0),
  };
}

/** @param {Window[]} windows */
function mean(windows) {
  const judgedIn = (/** @type {Window} */ { positive, neutral, negative }) => positive + neutral + negative;
  const judged = windows.reduce((sum, window) => sum + judgedIn(window), 0);
  const score = windows.reduce((sum, window) => sum + (window.score ?? 0) * judgedIn(window), 0) / judged;
  return { judged, score: judged === 0 ? null : score };
}
