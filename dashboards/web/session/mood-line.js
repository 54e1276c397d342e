/**
 * Sentiment over time: a line through the scores of windows, and behind it a stem for each utterance, as long as there
 * is room for them. Pure geometry first, then the drawing.
 */

import { clock } from "../shared/format.js";
import { text } from "../shared/i18n.js";

/** @typedef {import("../shared/vocabulary.js").Window} Window */
/** @typedef {import("../shared/vocabulary.js").Utterance} Utterance */
/** @typedef {{x: number, y: number}} Place */

const HEIGHT = 150;
const MARGIN = { top: 12, right: 12, bottom: 24, left: 34 };
const STEM_PX = 6;
const NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * Where a score lies: its moment across, 1 at the top and -1 at the bottom.
 * @param {number} atMs
 * @param {number} score
 * @param {number} lengthMs
 * @param {number} width
 * @returns {Place}
 */
export function place(atMs, score, lengthMs, width) {
  const across = width - MARGIN.left - MARGIN.right;
  const down = HEIGHT - MARGIN.top - MARGIN.bottom;
  const share = Math.min(atMs / Math.max(lengthMs, 1), 1);
  return { x: MARGIN.left + across * share, y: MARGIN.top + (down * (1 - score)) / 2 };
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {Record<string, string | number>} attributes
 */
function draw(tag, className, attributes) {
  const element = document.createElementNS(NAMESPACE, tag);
  element.setAttribute("class", className);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

/**
 * @param {string} words
 * @param {string} anchor
 * @param {number} x
 * @param {number} y
 */
function label(words, anchor, x, y) {
  const element = draw("text", "mood-label", { x, y, "text-anchor": anchor });
  element.textContent = words;
  return element;
}

/**
 * @param {Place} from
 * @param {Place} to
 * @param {string} className
 */
function line(from, to, className) {
  return draw("line", className, { x1: from.x, y1: from.y, x2: to.x, y2: to.y });
}

/**
 * Draws anew; cheap enough for ten times a second.
 * @param {HTMLElement} container
 * @param {Window[]} windows Of one size, in order.
 * @param {Utterance[]} utterances
 * @param {number} lengthMs Of the session so far.
 * @returns {boolean} Whether there was anything to draw.
 */
export function drawMoodLine(container, windows, utterances, lengthMs) {
  const scored = windows.filter(({ score }) => score !== null);
  if (scored.length === 0) {
    container.replaceChildren();
    return false;
  }
  const width = Math.max(container.clientWidth, 200);
  const picture = draw("svg", "", { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, role: "img" });
  picture.setAttribute("aria-label", summarise(scored, lengthMs));
  picture.append(...drawFrame(lengthMs, width));
  const said = utterances.filter(({ sentiment }) => sentiment);
  if (said.length * STEM_PX < width) picture.append(...said.flatMap((each) => drawStem(each, lengthMs, width)));
  picture.append(...drawLine(scored, lengthMs, width));
  container.replaceChildren(picture);
  return true;
}

/**
 * @param {number} lengthMs
 * @param {number} width
 */
function drawFrame(lengthMs, width) {
  const rules = [1, 0, -1].flatMap((score) => {
    const from = place(0, score, lengthMs, width);
    const to = place(lengthMs, score, lengthMs, width);
    const sign = score === 1 ? "+1" : score === 0 ? "0" : "−1";
    return [line(from, to, score === 0 ? "mood-zero" : "mood-grid"), label(sign, "end", from.x - 8, from.y + 4)];
  });
  const start = label(clock(0), "start", MARGIN.left, HEIGHT - 5);
  return [...rules, start, label(clock(lengthMs), "end", width - MARGIN.right, HEIGHT - 5)];
}

/**
 * @param {Utterance} utterance
 * @param {number} lengthMs
 * @param {number} width
 */
function drawStem({ sentiment, start_ms, end_ms }, lengthMs, width) {
  if (!sentiment) return [];
  const middleMs = (start_ms + end_ms) / 2;
  const top = place(middleMs, sentiment.score, lengthMs, width);
  const stem = line(place(middleMs, 0, lengthMs, width), top, `mood-stem mood-${sentiment.label}`);
  return [stem, draw("circle", `mood-said mood-${sentiment.label}`, { cx: top.x, cy: top.y, r: 3 })];
}

/**
 * @param {Window[]} scored
 * @param {number} lengthMs
 * @param {number} width
 */
function drawLine(scored, lengthMs, width) {
  const points = scored.map(({ start_ms, size_ms, score }) => {
    const middleMs = (start_ms + Math.min(start_ms + size_ms, lengthMs)) / 2;
    return place(middleMs, score ?? 0, lengthMs, width);
  });
  const path = points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" L");
  const radius = points.length > 60 ? 2 : 4;
  const dots = points.map(({ x, y }, n) => {
    const dot = draw("circle", "mood-point", { cx: x.toFixed(1), cy: y.toFixed(1), r: radius });
    const title = draw("title", "", {});
    const { start_ms, score } = scored[n];
    title.textContent = text("session.mood.point", { time: clock(start_ms), score: score ?? 0 });
    dot.append(title);
    return dot;
  });
  return [draw("path", "mood-line", { d: `M${path}` }), ...dots];
}

/**
 * @param {Window[]} scored
 * @param {number} lengthMs
 */
function summarise(scored, lengthMs) {
  const scores = scored.map(({ score }) => score ?? 0);
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return text("session.mood.summary", { from: clock(0), to: clock(lengthMs), mean, last: scores[scores.length - 1] });
}
