/**
 * The lanes of the time line as paths: scores up and down from a middle, talk up from a ground, loudness round a middle.
 * A path holds a whole lane, so the picture has as few parts after eight hours as after one minute. Pure.
 */

/** @typedef {import("../shared/vocabulary.js").Window} Window */
/** @typedef {import("../shared/vocabulary.js").Utterance} Utterance */
/** @typedef {import("../shared/vocabulary.js").Label} Label */
/** @typedef {{top: number, height: number}} Lane */
/** @typedef {{left: number, width: number, fromMs: number, toMs: number}} Across Which stretch lies where. */

/** Scores nearer to 0 than this are drawn as neutral. */
const NEUTRAL = 0.1;
const QUIETEST_DBFS = -60;
const LEAST_PX = 1.5;

/**
 * @param {number} ms
 * @param {Across} across
 */
export function toX(ms, { left, width, fromMs, toMs: untilMs }) {
  return left + (width * (Math.min(Math.max(ms, fromMs), untilMs) - fromMs)) / (untilMs - fromMs);
}

/**
 * @param {number} x
 * @param {Across} across
 */
export function toMs(x, { left, width, fromMs, toMs: untilMs }) {
  return Math.round(fromMs + (Math.min(Math.max(x - left, 0), width) / Math.max(width, 1)) * (untilMs - fromMs));
}

/**
 * @param {number} ms
 * @param {Across} across
 */
export function isWithin(ms, { fromMs, toMs: untilMs }) {
  return fromMs <= ms && ms <= untilMs;
}

/**
 * Bars of the windows' mean scores, by mood.
 * @param {Window[]} windows
 * @param {Lane} lane
 * @param {Across} across
 * @returns {Record<Label, string>}
 */
export function scorePaths(windows, { top, height }, across) {
  const paths = { positive: "", neutral: "", negative: "" };
  const middle = top + height / 2;
  for (const window of windows) {
    if (window.score === null) continue;
    const long = Math.max((Math.abs(window.score) * height) / 2, LEAST_PX);
    if (moodOf(window.score) === "neutral") paths.neutral += bar(window, middle - LEAST_PX, 2 * LEAST_PX, across);
    else if (window.score > 0) paths.positive += bar(window, middle - long, long, across);
    else paths.negative += bar(window, middle, long, across);
  }
  return paths;
}

/**
 * A dot for each judged utterance, by mood.
 * @param {Utterance[]} utterances
 * @param {Lane} lane
 * @param {Across} across
 * @param {number} radius
 * @returns {Record<Label, string>}
 */
export function saidPaths(utterances, { top, height }, across, radius) {
  const paths = { positive: "", neutral: "", negative: "" };
  for (const { sentiment, start_ms, end_ms } of utterances) {
    const ms = (start_ms + end_ms) / 2;
    if (!sentiment || !isWithin(ms, across)) continue;
    const x = toX(ms, across) - radius;
    const y = top + (height * (1 - sentiment.score)) / 2;
    const round = `a${radius} ${radius} 0 1 0`;
    paths[sentiment.label] += `M${short(x)} ${short(y)}${round} ${2 * radius} 0${round} ${-2 * radius} 0`;
  }
  return paths;
}

/**
 * Bars of the share of each window in which somebody talks.
 * @param {Window[]} windows
 * @param {Lane} lane
 * @param {Across} across
 */
export function talkPath(windows, { top, height }, across) {
  return windows
    .filter(({ talk_ms }) => talk_ms > 0)
    .map((window) => {
      const high = Math.max(height * talkShare(window), LEAST_PX);
      return bar(window, top + height - high, high, across);
    })
    .join("");
}

/**
 * Bars of the loudness of what is said in each window; nothing where nothing is said.
 * @param {Window[]} windows
 * @param {Lane} lane
 * @param {Across} across
 */
export function loudnessPath(windows, { top, height }, across) {
  return windows
    .map((window) => {
      if (window.loudness_dbfs === null) return "";
      const level = Math.min(Math.max(1 - window.loudness_dbfs / QUIETEST_DBFS, 0), 1);
      const high = Math.max(height * level, LEAST_PX);
      return bar(window, top + (height - high) / 2, high, across);
    })
    .join("");
}

/** @param {Window} window */
export function talkShare({ talk_ms, silence_ms }) {
  return Math.min(talk_ms / Math.max(talk_ms + silence_ms, 1), 1);
}

/**
 * @param {number} score
 * @returns {Label}
 */
export function moodOf(score) {
  if (Math.abs(score) < NEUTRAL) return "neutral";
  return score > 0 ? "positive" : "negative";
}

/**
 * @param {Window} window
 * @param {number} y
 * @param {number} height
 * @param {Across} across
 */
function bar({ start_ms, size_ms }, y, height, across) {
  const [from, to] = [toX(start_ms, across), toX(start_ms + size_ms, across)];
  const gap = Math.min((to - from) / 4, 2);
  const width = Math.max(to - from - gap, 1);
  return `M${short(from + gap / 2)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}z`;
}

/** @param {number} number */
function short(number) {
  return Number(number.toFixed(1));
}
