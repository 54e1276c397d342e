/** The small parts that every page is built of. All text goes in as text. */

import { fill, shares } from "./format.js";
import { language, say, text } from "./i18n.js";
import { at } from "./root.js";

/** @typedef {import("./vocabulary.js").Utterance} Utterance */
/** @typedef {import("./format.js").Counts} Counts */

/** @type {import("./vocabulary.js").Label[]} */
const MOODS = ["positive", "neutral", "negative"];

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

/**
 * An element of the page that must be there.
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} id
 * @returns {Kind}
 */
export function find(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element #${id}`);
  return /** @type {Kind} */ (element);
}

/**
 * A picture from `icons.svg`, for the eye only.
 * @param {string} name
 */
export function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(namespace, "svg");
  const use = document.createElementNS(namespace, "use");
  picture.setAttribute("class", "icon");
  picture.setAttribute("aria-hidden", "true");
  use.setAttribute("href", at(`icons.svg#${name}`));
  picture.append(use);
  return picture;
}

/**
 * A message in an element of its own.
 * @param {string} key
 * @param {import("./i18n.js").Values} [values]
 */
export function words(key, values) {
  const element = make("span");
  say(element, key, values);
  return element;
}

/**
 * How an utterance feels, in a word and a sign, or that this is not known.
 * @param {Utterance} utterance
 */
export function sentimentChip({ sentiment }) {
  const mood = sentiment?.label ?? "unknown";
  return make("span", `chip chip-${mood}`, icon(mood), words(`mood.${mood}`));
}

/**
 * The line of counts and shares that the first users know; it breaks between the moods only.
 * @param {HTMLElement} place
 * @param {Counts | null} counts
 */
export function showTotals(place, counts) {
  const { positive, neutral, negative } = counts ?? { positive: 0, neutral: 0, negative: 0 };
  const share = shares({ positive, neutral, negative });
  const line = text("statistics.line", {
    positive,
    neutral,
    negative,
    positive_share: share.positive,
    neutral_share: share.neutral,
    negative_share: share.negative,
  });
  if (place.textContent === line) return;
  const parts = line.split(" / ").flatMap((part) => [" / ", make("span", "", part)]);
  place.replaceChildren(...parts.slice(1));
}

/** How often each mood came, sign and word beside the number. */
export class MoodCounts {
  element = make("p", "counts");
  /** @type {Map<import("./vocabulary.js").Label, HTMLElement>} */
  #numbers = new Map();

  constructor() {
    for (const mood of MOODS) {
      const number = make("b", "", "0");
      this.#numbers.set(mood, number);
      this.element.append(make("span", `count-${mood}`, icon(mood), words(`mood.${mood}`), number));
    }
  }

  /** @param {Counts | null} counts */
  show(counts) {
    for (const [mood, number] of this.#numbers) {
      number.textContent = fill("{count}", { count: counts?.[mood] ?? 0 }, language());
    }
  }
}

/**
 * The shares of the moods as one bar; the words beside it say the same.
 * @param {HTMLElement} place
 * @param {Counts | null} counts
 */
export function showShares(place, counts) {
  if (place.childElementCount === 0) place.append(...MOODS.map((mood) => make("span", `share share-${mood}`)));
  MOODS.forEach((mood, n) => {
    const share = /** @type {HTMLElement} */ (place.children[n]);
    share.style.setProperty("flex-grow", String(counts?.[mood] ?? 0));
    share.hidden = !counts?.[mood];
  });
}
