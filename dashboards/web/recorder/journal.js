/**
 * Writes what an outbox keeps to the shelf, about once a second: what is new since the last time, and no more what was
 * acknowledged meanwhile. While all goes well that is next to nothing; a page that is gone has left the rest here.
 */

import { TARGET_RATE } from "./resampler.js";

/** @typedef {import("./outbox.js").Outbox} Outbox */
/** @typedef {import("./shelf.js").Shelf} Shelf */
/** @typedef {import("./shelf.js").Recording} Recording */
/** @typedef {Pick<import("./shelf.js").Progress, "startedAt" | "isStopping" | "writtenAt">} State */

/** Pieces on the shelf are no longer than a second: they are forgotten, and given up, whole. */
const LONGEST_PIECE = TARGET_RATE;

export class Journal {
  #shelf;
  #recording;
  #outbox;
  /** What lies before this sample is on the shelf, as far as it is still needed. */
  #written;
  #mustReplace = false;
  #underWay = 0;
  #isOver = false;
  /** Whether the last write failed: what is not acknowledged is in this page alone. */
  isFailing = false;

  /**
   * @param {Pick<Shelf, "write" | "forget">} shelf
   * @param {Recording} recording
   * @param {Outbox} outbox What it holds now is on the shelf already.
   */
  constructor(shelf, recording, outbox) {
    this.#shelf = shelf;
    this.#recording = recording;
    this.#outbox = outbox;
    this.#written = outbox.nextSample;
  }

  /**
   * Brings the shelf up to date; never fails, see `isFailing`. A disk that is slow is left alone until it is done.
   * @param {State} state
   * @param {boolean} [isLast] Whether there may be no other time: the page is going.
   */
  async write(state, isLast = false) {
    if (this.#isOver || (this.#underWay > 0 && !isLast)) return;
    const { acknowledged, nextSample, keptSamples, oldest } = this.#outbox;
    const isReplacing = this.#mustReplace;
    const pieces = this.#pieces(isReplacing ? oldest : Math.max(this.#written, oldest));
    this.#written = nextSample;
    this.#mustReplace = false;
    this.#underWay += 1;
    try {
      const unfinished = { ...this.#recording, ...state, acknowledged, oldest, nextSample, keptSamples };
      await this.#shelf.write(unfinished, pieces, isReplacing ? Infinity : oldest);
      this.isFailing = false;
    } catch {
      this.isFailing = true;
      this.#mustReplace = true;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** What is on the shelf is numbered otherwise: the next write replaces it. */
  renumber() {
    this.#mustReplace = true;
  }

  /** The recording is over. */
  async forget() {
    this.#isOver = true;
    await this.#shelf.forget(this.#recording.sessionId).catch(() => {}); // age will take it
  }

  /** @param {number} from */
  #pieces(from) {
    const pieces = [];
    for (let piece; (piece = this.#outbox.read(from, LONGEST_PIECE)); from = piece.end) pieces.push(piece);
    return pieces;
  }
}
