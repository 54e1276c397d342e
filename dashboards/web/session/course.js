/**
 * The course of a session, which only the history can tell, kept up with the live view: it is asked for again, in a
 * measured way, for as long as the live view has counted more than the last answer.
 */

import { ApiError } from "../shared/api.js";

/** @typedef {import("../shared/vocabulary.js").Course} Course */

export const PAUSE_MS = 5000;

export class CourseFollower {
  /** @type {Course | null} The last answer. */
  course = null;
  #read;
  #onChange;
  #wanted = 0;
  #isBusy = false;

  /**
   * @param {() => Promise<Course>} read
   * @param {() => void} onChange Called after each answer.
   */
  constructor(read, onChange) {
    this.#read = read;
    this.#onChange = onChange;
  }

  /** @param {number} seq The last final or mark that is counted in what the page shows. */
  follow(seq) {
    this.#wanted = Math.max(this.#wanted, seq);
    if (!this.#isBusy && (this.course?.seq ?? 0) < this.#wanted) void this.#ask();
  }

  async #ask() {
    this.#isBusy = true;
    try {
      this.course = await this.#read();
      this.#onChange();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const isRefused = error.status >= 400 && error.status < 500 && error.status !== 429;
      if (isRefused) return; // asking again would not help
    }
    setTimeout(() => {
      this.#isBusy = false;
      this.follow(this.#wanted);
    }, PAUSE_MS);
  }
}
