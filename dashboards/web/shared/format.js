/** Numbers and times as words: pure functions. */

/** @typedef {{positive: number, neutral: number, negative: number}} Counts */

/** A place in a template, with the space behind it if a unit follows. */
const PLACE = /\{(\w+)\}( (?=(?:s|dB|%)(?!\w)))?/g;
const NO_BREAK = "\u00a0";

/**
 * A template's `{name}` places filled with values; numbers get the language's own form, at most one decimal, and stay on
 * one line with their unit.
 * @param {string} template
 * @param {Record<string, string | number>} values
 * @param {string} language
 */
export function fill(template, values, language) {
  const numbers = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  return template.replace(PLACE, (place, name, space = "") => {
    const value = values[name];
    if (value === undefined) return place;
    return (typeof value === "number" ? numbers.format(value) : value) + (space && NO_BREAK);
  });
}

/**
 * Each count as a whole percentage of all, rounded by itself; all 0 where there is nothing.
 * @param {Counts} counts
 * @returns {Counts}
 */
export function shares({ positive, neutral, negative }) {
  const total = Math.max(positive + neutral + negative, 1);
  const percent = (/** @type {number} */ count) => Math.round((count * 100) / total);
  return { positive: percent(positive), neutral: percent(neutral), negative: percent(negative) };
}

/**
 * A score or a difference of scores, with its sign and two decimals.
 * @param {number} score
 * @param {string} language
 */
export function signed(score, language) {
  const form = { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: /** @type {const} */ ("exceptZero") };
  return new Intl.NumberFormat(language, form).format(score);
}

/**
 * A length of time as a clock shows it: 0:07, 12:05, 1:02:03.
 * @param {number} ms
 */
export function clock(ms) {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] > 0 ? parts : parts.slice(1);
  return shown.map((part, n) => (n === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

/**
 * Milliseconds as seconds with at most one decimal, without it from ten on: it would only flicker.
 * @param {number} ms
 */
export function seconds(ms) {
  return ms < 10_000 ? Math.round(ms / 100) / 10 : Math.round(ms / 1000);
}

/**
 * A position in the session, in milliseconds of media time.
 * @param {number} samples At 16 kHz.
 */
export function mediaMs(samples) {
  return Math.floor(samples / 16);
}
