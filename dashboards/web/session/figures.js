/** What is measured of a session, in words and numbers: the whole of it, its quarters, and the trend between them. */

import { make, words } from "../shared/elements.js";
import { clock, signed } from "../shared/format.js";
import { language, say, text } from "../shared/i18n.js";

/** @typedef {import("../shared/vocabulary.js").Window} Window */
/** @typedef {import("../shared/vocabulary.js").Course} Course */

/** On a scale from -1 to 1, a smaller difference between first and last quarter is called none. */
const STEADY = 0.1;
/** @type {import("../shared/vocabulary.js").Label[]} */
const MOODS = ["positive", "neutral", "negative"];

/**
 * The facts of the whole session; what is not known is left out.
 * @param {HTMLElement} place A list of terms and descriptions.
 * @param {Window} total
 */
export function showFacts(place, total) {
  const { score, score_min, score_max, talk_ms, silence_ms, longest_pause_ms, words_per_minute } = total;
  /** @type {[string, string][]} */
  const facts = [];
  if (score !== null) facts.push(["facts.score", signed(score, language())]);
  if (score_min !== null && score_max !== null) {
    const [lowest, highest] = [score_min, score_max].map((each) => signed(each, language()));
    facts.push(["facts.range", text("facts.range.ends", { lowest, highest })]);
  }
  const share = Math.round((talk_ms * 100) / Math.max(talk_ms + silence_ms, 1));
  facts.push(["facts.talk", text("facts.talk.share", { talk: clock(talk_ms), share })]);
  if (longest_pause_ms !== null) facts.push(["facts.pause", clock(longest_pause_ms)]);
  if (words_per_minute !== null) facts.push(["facts.pace", String(words_per_minute)]);
  const shown = facts.map(([key, value]) => `${text(key)} ${value}`).join("\n");
  if (place.dataset.shown === shown) return;
  place.dataset.shown = shown;
  place.replaceChildren(...facts.map(([key, value]) => make("div", "", make("dt", "", words(key)), make("dd", "", value))));
}

/**
 * The quarters as rows of a table, and the trend as a sentence.
 * @param {HTMLElement} rows The body of the table.
 * @param {HTMLElement} sentence
 * @param {Course} course
 */
export function showQuarters(rows, sentence, { seq, quarters, trend }) {
  const shown = `${seq} ${language()}`;
  if (rows.dataset.shown === shown) return;
  rows.dataset.shown = shown;
  rows.replaceChildren(...quarters.map(makeRow));
  say(sentence, `trend.${direction(trend)}`, trend === null ? {} : { trend: signed(trend, language()) });
}

/**
 * @param {Window} quarter
 * @param {number} index
 */
function makeRow(quarter, index) {
  const { start_ms, size_ms, score, talk_ms } = quarter;
  const times = `${clock(start_ms)}–${clock(start_ms + size_ms)}`;
  const name = make("th", "", `${index + 1} `, make("span", "meta", times));
  name.scope = "row";
  const mean = make("td", "", score === null ? "–" : signed(score, language()));
  if (score === null) mean.append(unseen("mood.unknown"));
  const counts = MOODS.map((mood) => make("td", `count-${mood}`, String(quarter[mood])));
  return make("tr", "", name, mean, ...counts, make("td", "", clock(talk_ms)));
}

/** @param {string} key Of a message for those who do not see the sign beside it. */
function unseen(key) {
  const element = words(key);
  element.className = "unseen";
  return element;
}

/** @param {number | null} trend */
function direction(trend) {
  if (trend === null) return "unknown";
  if (Math.abs(trend) < STEADY) return "steady";
  return trend > 0 ? "up" : "down";
}
