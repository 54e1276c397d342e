/** All live sessions as they stand, built from events alone; what has changed is asked for once a painting. Pure. */

import { Library } from "../shared/story.js";
import { standing } from "./attention.js";
import { Watched } from "./watched.js";

/** @typedef {import("../shared/vocabulary.js").ViewerEvent} ViewerEvent */
/** @typedef {import("../shared/format.js").Counts} Counts */
/** @typedef {{watched: Watched, standing: import("./attention.js").Standing}} Entry */

/** What depends on time alone is looked at so often. */
const TICK_MS = 1000;

export class Wall {
  /** @type {Map<string, Entry>} The live ones. */
  live = new Map();
  #library = new Library(Watched);
  /** @type {Set<string>} */
  #touched = new Set();
  #tickedAtMs = -Infinity;

  /** Whether the last snapshot had everything. */
  get isComplete() {
    return this.#library.complete;
  }

  /**
   * @param {ViewerEvent} event
   * @param {number} nowMs
   */
  take(event, nowMs) {
    for (const id of this.#library.apply(event)) {
      this.#library.stories.get(id)?.note(nowMs);
      this.#touched.add(id);
    }
  }

  /**
   * Brings `live` up to what was taken, and returns whose card may look different: of those that are live no longer too.
   * @param {number} nowMs
   */
  settle(nowMs) {
    const changed = this.#touched;
    this.#touched = new Set();
    if (nowMs - this.#tickedAtMs >= TICK_MS) {
      this.#tickedAtMs = nowMs;
      for (const id of this.live.keys()) changed.add(id);
    }
    this.#library.dropQuiet();
    for (const id of changed) {
      const watched = this.#library.stories.get(id);
      if (watched?.session?.state === "live") this.live.set(id, { watched, standing: standing(watched, nowMs) });
      else this.live.delete(id);
    }
    return changed;
  }
}

/**
 * @param {Iterable<Entry>} entries
 * @returns {Counts & {utterances: number}}
 */
export function totalsOf(entries) {
  const totals = { utterances: 0, positive: 0, neutral: 0, negative: 0 };
  for (const { watched } of entries) {
    totals.utterances += watched.total?.utterances ?? 0;
    totals.positive += watched.total?.positive ?? 0;
    totals.neutral += watched.total?.neutral ?? 0;
    totals.negative += watched.total?.negative ?? 0;
  }
  return totals;
}
