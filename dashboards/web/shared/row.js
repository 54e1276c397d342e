/** One line of a transcript. What is still changing has the same shape, so that it becomes final without a jump. */

import { icon, make, sentimentChip, words } from "./elements.js";
import { clock } from "./format.js";

/** @typedef {import("./vocabulary.js").Utterance} Utterance */
/** @typedef {import("./vocabulary.js").Partial} Partial */

/**
 * Whether an utterance has a line: a stretch without words is worth one only where something was said and put aside.
 * @param {Utterance} utterance
 */
export function hasRow({ text, quality }) {
  return text !== "" || quality.suppressed === "failed";
}

/**
 * @param {Utterance} utterance
 * @param {boolean} isLinked Whether its time is a link to it on this page.
 * @param {boolean} isHeard Whether a button plays it.
 */
export function makeRow(utterance, isLinked, isHeard) {
  const { utterance_id, start_ms, text, language, quality } = utterance;
  const time = isLinked ? make("a", "row-time", clock(start_ms)) : make("span", "row-time", clock(start_ms));
  if (time instanceof HTMLAnchorElement) {
    time.href = `#${utterance_id}`;
    time.tabIndex = -1; // the arrows go from one to the next
  }
  const spoken = make("p", "row-text", text);
  if (language) spoken.lang = language;
  const row = make("li", "row", time, ...(isHeard ? [playButton(utterance)] : []), spoken);
  row.id = utterance_id;
  if (quality.suppressed) {
    row.classList.add("row-suppressed");
    row.append(make("p", "row-reason", icon("suppressed"), words(`suppressed.${quality.suppressed}`)));
  } else {
    row.append(sentimentChip(utterance));
  }
  return row;
}

/** The line of what is being said now; it is always there, and hidden while nothing is. */
export class ChangingRow {
  #time = make("span", "partial-time");
  #sure = make("span", "partial-sure");
  #rest = document.createTextNode("");
  element = make("div", "partial", this.#time, make("p", "partial-text", this.#sure, this.#rest));

  constructor() {
    this.element.hidden = true;
  }

  /** @param {Partial | null} partial */
  show(partial) {
    this.element.hidden = !partial?.text;
    if (!partial) return;
    this.#time.textContent = clock(partial.start_ms);
    this.#sure.textContent = partial.text.slice(0, partial.committed);
    this.#rest.data = partial.text.slice(partial.committed);
  }
}

/** @param {Utterance} utterance */
function playButton({ start_ms }) {
  const name = words("sound.play", { time: clock(start_ms) });
  name.className = "unseen";
  const button = make("button", "row-play", icon("play"), name);
  button.type = "button";
  button.tabIndex = -1; // the arrows go from one to the next
  return button;
}
