/**
 * Fetches what the reader comes to and the live view does not have: earlier words, later ones, or those round a moment
 * anywhere in the session. One request at a time; an answer that comes after the reader has gone elsewhere is dropped.
 */

import { ApiError } from "../shared/api.js";
import { Passage } from "./passage.js";

/** @typedef {import("../shared/vocabulary.js").Utterance} Utterance */
/**
 * @callback Read
 * @param {{fromMs: number, isBackwards: boolean, limit: number}} wanted
 * @returns {Promise<{utterances: Utterance[], hasMore: boolean}>}
 */

const PAGE = 200;
const BEFORE = 100;
export const PAUSE_MS = 2000;

export class Reader {
  passage = new Passage();
  /** Where a request is under way, or has failed. */
  /** @type {"earlier" | "later" | "moment" | null} */
  busy = null;
  /** @type {{at: "earlier" | "later" | "moment", reason: string} | null} */
  trouble = null;
  #read;
  #onChange;
  #moment = 0;
  #turn = 0;

  /**
   * @param {Read} read
   * @param {() => void} onChange
   */
  constructor(read, onChange) {
    this.#read = read;
    this.#onChange = onChange;
  }

  /** Fetches what lies before the passage, unless there is nothing, or the last attempt failed. */
  async readEarlier() {
    const { passage } = this;
    if (this.busy || this.trouble?.at === "earlier" || !passage.hasEarlier) return;
    const fromMs = passage.utterances[0]?.start_ms;
    if (fromMs === undefined) return this.turnTo(0);
    await this.#fetch("earlier", async () => {
      const page = await this.#read({ fromMs, isBackwards: true, limit: PAGE });
      return () => passage.addEarlier(page.utterances, page.hasMore);
    });
  }

  /** Fetches what lies after it. */
  async readLater() {
    const { passage } = this;
    const last = passage.utterances.at(-1);
    if (this.busy || this.trouble?.at === "later" || !passage.hasLater || !last) return;
    await this.#fetch("later", async () => {
      const page = await this.#read({ fromMs: last.start_ms, isBackwards: false, limit: PAGE });
      if (page.utterances.length <= 1 && !page.hasMore) await pause(); // shown live, and not stored yet
      return () => passage.addLater(page.utterances, page.hasMore);
    });
  }

  /**
   * Turns to what is said round a moment; that takes the place of what is at hand, and of any other request.
   * @param {number} ms
   */
  async turnTo(ms) {
    this.#moment = ms;
    await this.#fetch("moment", async () => {
      const [before, after] = await Promise.all([
        this.#read({ fromMs: ms, isBackwards: true, limit: BEFORE }),
        this.#read({ fromMs: ms, isBackwards: false, limit: PAGE }),
      ]);
      const utterances = [...before.utterances, ...after.utterances];
      return () => this.passage.turnTo(utterances, { hasEarlier: before.hasMore, hasLater: after.hasMore });
    });
  }

  /** Lets go of what is under way: the reader has gone back to what is there. */
  stay() {
    this.#turn += 1;
    this.busy = null;
    this.trouble = null;
  }

  async tryAgain() {
    const at = this.trouble?.at;
    this.trouble = null;
    if (at === "earlier") await this.readEarlier();
    if (at === "later") await this.readLater();
    if (at === "moment") await this.turnTo(this.#moment);
  }

  /**
   * @param {"earlier" | "later" | "moment"} at
   * @param {() => Promise<() => void>} ask Gives what is to be done with the answer.
   */
  async #fetch(at, ask) {
    this.#turn += 1;
    const turn = this.#turn;
    this.busy = at;
    this.trouble = null;
    this.#onChange();
    try {
      const take = await ask();
      if (turn !== this.#turn) return;
      take();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn !== this.#turn) return;
      this.trouble = { at, reason: error.message };
    }
    this.busy = null;
    this.#onChange();
  }
}

function pause() {
  return new Promise((done) => setTimeout(done, PAUSE_MS));
}
