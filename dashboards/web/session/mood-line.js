/** Sentiment over time as a line: pure geometry first, then the drawing. */

import { clock } from "../shared/format.js";
import { text } from "../shared/i18n.js";

/** @typedef {import("../shared/vocabulary.js").Window} Window */
/** @typedef {{x: number, y: number, window: Window}} Point */

const HEIGHT = 150;
const MARGIN = { top: 12, right: 12, bottom: 24, left: 34 };
const NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * Where each scored window lies: its middle in time, its score between 1 at the top and -1 at the bottom.
 * @param {Window[]} windows
 * @param {number} lengthMs
 * @param {number} width
 * @returns {Point[]}
 */
export function placePoints(windows, lengthMs, width) {
  const across = width - MARGIN.left - MARGIN.right;
  const down = HEIGHT - MARGIN.top - MARGIN.bottom;
  return windows
    .filter((window) => window.score !== null)
    .map((window) => {
      const middle = Math.min(window.start_ms + window.size_ms / 2, lengthMs);
      const score = /** @type {number} */ (window.score);
      return { x: MARGIN.left + (across * middle) / lengthMs, y: MARGIN.top + (down * (1 - score)) / 2, window };
    });
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

/** @param {Window} window */
function describe({ start_ms, score }) {
  return text("session.mood.point", { time: clock(start_ms), score: score ?? 0 });
}

/**
 * Draws anew; cheap enough for ten times a second.
 * @param {HTMLElement} place
 * @param {Window[]} windows Of one size, in order.
 * @param {number} lengthMs Of the session so far.
 * @returns {boolean} Whether there was anything to draw.
 */
export function drawMoodLine(place, windows, lengthMs) {
  const width = Math.max(place.clientWidth, 200);
  const points = placePoints(windows, Math.max(lengthMs, 1), width);
  if (points.length === 0) {
    place.replaceChildren();
    return false;
  }
  const right = width - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const zero = (MARGIN.top + bottom) / 2;
  const path = points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" L");
  const area = `M${points[0].x.toFixed(1)},${zero} L${path} L${points[points.length - 1].x.toFixed(1)},${zero} Z`;
  const picture = draw("svg", "", { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, role: "img" });
  picture.setAttribute("aria-label", summarise(points, lengthMs));
  picture.append(
    draw("line", "mood-grid", { x1: MARGIN.left, x2: right, y1: MARGIN.top, y2: MARGIN.top }),
    draw("line", "mood-zero", { x1: MARGIN.left, x2: right, y1: zero, y2: zero }),
    draw("line", "mood-grid", { x1: MARGIN.left, x2: right, y1: bottom, y2: bottom }),
    label("+1", "end", MARGIN.left - 8, MARGIN.top + 4),
    label("0", "end", MARGIN.left - 8, zero + 4),
    label("−1", "end", MARGIN.left - 8, bottom + 4),
    label(clock(0), "start", MARGIN.left, HEIGHT - 5),
    label(clock(lengthMs), "end", right, HEIGHT - 5),
    draw("path", "mood-area", { d: area }),
    draw("path", "mood-line", { d: `M${path}` }),
  );
  for (const { x, y, window } of points) {
    const dot = draw("circle", "mood-point", { cx: x.toFixed(1), cy: y.toFixed(1), r: points.length > 60 ? 2 : 4 });
    const title = draw("title", "", {});
    title.textContent = describe(window);
    dot.append(title);
    picture.append(dot);
  }
  place.replaceChildren(picture);
  return true;
}

/**
 * @param {Point[]} points
 * @param {number} lengthMs
 */
function summarise(points, lengthMs) {
  const scores = points.map(({ window }) => window.score ?? 0);
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  return text("session.mood.summary", { from: clock(0), to: clock(lengthMs), mean, last: scores[scores.length - 1] });
}
