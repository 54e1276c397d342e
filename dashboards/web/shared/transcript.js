/** A transcript that grows: finals with their sentiment, and one partial at the end that turns into a final. */

import { make, sentimentChip } from "./elements.js";
import { clock } from "./format.js";

/** @typedef {import("./story.js").Story} Story */
/** @typedef {import("./vocabulary.js").Utterance} Utterance */

const NEAR_END_PX = 120;

/** @param {Utterance} utterance */
function makeRow(utterance) {
  const suppressed = utterance.quality.suppressed !== null;
  const time = make("span", "row-time", clock(utterance.start_ms));
  const spoken = make("p", "row-text", utterance.text);
  if (utterance.language) spoken.lang = utterance.language;
  const row = make("li", `row${suppressed ? " row-suppressed" : ""}`, time, spoken, sentimentChip(utterance));
  row.id = utterance.utterance_id;
  return row;
}

export class Transcript {
  #list;
  #partial;
  #scroller;
  /** @type {Map<string, HTMLLIElement>} */
  #rows = new Map();

  /**
   * @param {HTMLElement} place Gets the list of finals, which is announced politely, and the partial, which is not.
   * @param {HTMLElement} scroller What scrolls; it follows the end unless the reader has scrolled up.
   */
  constructor(place, scroller) {
    this.#scroller = scroller;
    this.#list = make("ol", "rows");
    this.#list.setAttribute("aria-live", "polite");
    this.#list.setAttribute("aria-relevant", "additions");
    this.#partial = make("p", "partial");
    this.#partial.hidden = true;
    place.append(this.#list, this.#partial);
  }

  get isEmpty() {
    return this.#rows.size === 0 && this.#partial.hidden;
  }

  /**
   * @param {Story} story
   * @param {boolean} follow Whether the end is what matters.
   */
  show(story, follow) {
    const follows = follow && this.#isAtEnd();
    for (const id of this.#rows.keys()) if (!story.utterances.has(id)) this.#remove(id);
    let position = 0;
    for (const [id, utterance] of story.utterances) {
      // A stretch without words is worth a line only where something was said and put aside.
      if (!utterance.text && utterance.quality.suppressed !== "failed") continue;
      if (!this.#rows.has(id)) this.#insert(makeRow(utterance), id, position);
      position += 1;
    }
    this.#showPartial(story);
    if (follows) this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** @param {Story} story */
  #showPartial({ partial }) {
    this.#partial.hidden = !partial?.text;
    if (!partial) return;
    const sure = make("span", "partial-sure", partial.text.slice(0, partial.committed));
    this.#partial.replaceChildren(sure, partial.text.slice(partial.committed));
  }

  /**
   * @param {HTMLLIElement} row
   * @param {string} id
   * @param {number} position
   */
  #insert(row, id, position) {
    this.#rows.set(id, row);
    this.#list.insertBefore(row, this.#list.children[position] ?? null);
  }

  /** @param {string} id */
  #remove(id) {
    this.#rows.get(id)?.remove();
    this.#rows.delete(id);
  }

  #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }
}
