/** Utterances and windows for tests: whole enough for what is tried. */

export const ID = "01890000-0000-7000-8000-000000000000";

/**
 * The `n`-th utterance: it starts at `n` seconds and lasts half of one.
 * @param {number} n
 * @param {object} [more]
 * @returns {any}
 */
export function utterance(n, more) {
  return {
    type: "utterance",
    session_id: ID,
    utterance_id: `${ID}-${String(n * 16_000).padStart(12, "0")}`,
    first_sample: n * 16_000,
    through: n * 16_000 + 8000,
    start_ms: n * 1000,
    end_ms: n * 1000 + 500,
    text: `at ${n}`,
    quality: { suppressed: null },
    sentiment: null,
    ...more,
  };
}

/**
 * Those from the `first` up to, but not with, the `end`.
 * @param {number} first
 * @param {number} end
 */
export function utterances(first, end) {
  return Array.from({ length: end - first }, (_, n) => utterance(first + n));
}

/**
 * @param {number} start_ms
 * @param {object} [more]
 * @returns {any}
 */
export function window(start_ms, more) {
  const nothing = { positive: 0, neutral: 0, negative: 0, score: null, loudness_dbfs: null };
  return { type: "window", session_id: ID, seq: 1, size_ms: 10_000, start_ms, talk_ms: 0, silence_ms: 10_000, ...nothing, ...more };
}
