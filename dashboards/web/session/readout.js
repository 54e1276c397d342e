/** What there is to say of one moment, in a line: the figures of its window, and the words. */

import { make } from "../shared/elements.js";
import { clock, signed } from "../shared/format.js";
import { language, say, text } from "../shared/i18n.js";
import { talkShare } from "./lanes.js";

/** @typedef {import("../shared/vocabulary.js").Utterance} Utterance */
/** @typedef {import("../shared/vocabulary.js").Window} Window */

/** Fingers have no double click, and mostly no keys. */
const TOUCH = matchMedia("(pointer: coarse)");

/**
 * Shows it, and returns it as plain text.
 * @param {HTMLElement} place
 * @param {number | null} ms Null is no moment.
 * @param {Window[]} windows Of one size, in order.
 * @param {Utterance | null} utterance
 */
export function showReadout(place, ms, windows, utterance) {
  if (ms === null) {
    say(place, TOUCH.matches ? "session.readout.touch" : "session.readout.none");
    return place.textContent ?? "";
  }
  const window = windows.find(({ start_ms, size_ms }) => start_ms <= ms && ms < start_ms + size_ms);
  const figures = [...(window ? figuresOf(window) : []), ...(utterance ? wordsOf(utterance) : [])];
  const time = clock(utterance?.start_ms ?? ms);
  delete place.dataset.say;
  place.replaceChildren(make("b", "", time), ...figures.map((words) => make("span", "", words)));
  return [time, ...figures].join(", ");
}

/** @param {Window} window */
function figuresOf(window) {
  const { score, loudness_dbfs } = window;
  const figures = [text("readout.talk", { share: Math.round(talkShare(window) * 100) })];
  if (score !== null) figures.unshift(text("readout.score", { score: signed(score, language()) }));
  if (loudness_dbfs !== null) figures.push(text("readout.loudness", { level: Math.round(loudness_dbfs) }));
  return figures;
}

/** @param {Utterance} utterance */
function wordsOf({ text: spoken, sentiment, quality }) {
  if (quality.suppressed) return [text(`suppressed.${quality.suppressed}`)];
  return [...(sentiment ? [text(`mood.${sentiment.label}`)] : []), `“${spoken}”`];
}
