/**
 * What was found, page by page. One question at a time: a newer one ends the one before, whose answer is never shown.
 * What fails for a while is tried again by itself.
 */

import { ApiError } from "../shared/api.js";

/** @typedef {import("../shared/vocabulary.js").Session} Session */
/** @typedef {import("../shared/vocabulary.js").Window} Window */
/** @typedef {import("../shared/vocabulary.js").Hit} Hit */
/** @typedef {import("./question.js").Question} Question */
/** @typedef {{session: Session, window: Window | null, hits: Hit[]}} Found A session, and what was found in it. */
/** @typedef {{sessions: Session[], windows?: Window[], hits?: Hit[], next: string | null}} Page */
/**
 * @callback Ask
 * @param {Question} question
 * @param {{cursor: string | null, limit: number}} page
 * @param {AbortSignal} signal
 * @returns {Promise<Page>}
 */

const PAGE = 50;
const MOST = 500;
/** After so long it is said that it takes long; after the second time it is given up. */
export const SLOW_MS = 2000;
export const GIVE_UP_MS = 20_000;
const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 60_000;
const TOO_SLOW = new ApiError(0, "there was no answer in time", null, "too_slow");

export class Results {
  /** @type {Found[]} In order. */
  found = [];
  hasMore = false;
  isAsking = false;
  isSlow = false;
  /** @type {ApiError | null} */
  trouble = null;
  /** @type {Question | null} What is asked, or was last. */
  question = null;
  #ask;
  #onChange;
  /** @type {string | null} */
  #cursor = null;
  /** @type {AbortController | null} Of what is under way. */
  #asking = null;
  #again = () => {};
  #retry = 0;
  #pauseMs = FIRST_PAUSE_MS;

  /**
   * @param {Ask} ask
   * @param {() => void} onChange
   */
  constructor(ask, onChange) {
    this.#ask = ask;
    this.#onChange = onChange;
  }

  /** How many utterances or, where no words are asked for, sessions were found so far. */
  get count() {
    return this.question?.words ? this.found.reduce((count, { hits }) => count + hits.length, 0) : this.found.length;
  }

  /** Whether the next attempt comes by itself. */
  get isPatient() {
    return this.trouble !== null && canPass(this.trouble);
  }

  /**
   * Asks another question. What was found stays until there is an answer.
   * @param {Question} question
   * @param {number} atLeast So much is fetched at once, where a reader comes back to a long list.
   */
  async turnTo(question, atLeast = 0) {
    this.question = question;
    this.#pauseMs = FIRST_PAUSE_MS;
    await this.#fetch(question, null, Math.min(Math.max(atLeast, PAGE), MOST));
  }

  /** Fetches the next page, unless there is none, or something is under way. */
  async more() {
    if (!this.question || this.#cursor === null || this.isAsking) return;
    await this.#fetch(this.question, this.#cursor, PAGE);
  }

  async tryAgain() {
    await this.#again();
  }

  /**
   * A session that was deleted.
   * @param {string} id
   */
  drop(id) {
    this.found = this.found.filter(({ session }) => session.session_id !== id);
    this.#onChange();
  }

  /**
   * @param {Question} question
   * @param {string | null} cursor
   * @param {number} limit
   */
  async #fetch(question, cursor, limit) {
    this.#asking?.abort();
    clearTimeout(this.#retry);
    const asking = new AbortController();
    this.#asking = asking;
    this.#again = () => this.#fetch(question, cursor, limit);
    Object.assign(this, { isAsking: true, isSlow: false, trouble: null });
    const slow = setTimeout(() => this.#slow(asking), SLOW_MS);
    const over = setTimeout(() => asking.abort(), GIVE_UP_MS);
    this.#onChange();
    try {
      const page = await this.#ask(question, { cursor, limit }, asking.signal);
      if (asking !== this.#asking) return;
      if (asking.signal.aborted) this.#fail(TOO_SLOW, cursor);
      else this.#take(page, cursor);
    } catch (error) {
      if (asking !== this.#asking) return;
      if (!(error instanceof ApiError)) throw error;
      this.#fail(asking.signal.aborted ? TOO_SLOW : error, cursor);
    } finally {
      clearTimeout(slow);
      clearTimeout(over);
    }
    Object.assign(this, { isAsking: false, isSlow: false });
    this.#onChange();
  }

  /** @param {AbortController} asking */
  #slow(asking) {
    if (asking !== this.#asking) return;
    this.isSlow = true;
    this.#onChange();
  }

  /**
   * @param {Page} page
   * @param {string | null} cursor
   */
  #take({ sessions, windows = [], hits = [], next }, cursor) {
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#cursor = next;
    this.hasMore = next !== null;
    const found = cursor === null ? [] : this.found;
    const known = new Map(found.map((each) => [each.session.session_id, each]));
    for (const session of sessions) {
      if (known.has(session.session_id)) continue; // a live one may be met again
      const window = windows.find(({ session_id }) => session_id === session.session_id) ?? null;
      known.set(session.session_id, { session, window, hits: [] });
    }
    for (const hit of hits) known.get(hit.utterance.session_id)?.hits.push(hit);
    this.found = hits.length === 0 ? [...known.values()] : inOrderOfHits(known, found, hits);
  }

  /**
   * @param {ApiError} error
   * @param {string | null} cursor
   */
  #fail(error, cursor) {
    this.trouble = error;
    if (cursor === null) Object.assign(this, { found: [], hasMore: false }); // it answers another question
    if (!canPass(error)) return;
    const waitMs = Math.max(error.retryAfterMs ?? 0, this.#pauseMs) * (0.8 + 0.4 * Math.random());
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
    this.#retry = setTimeout(() => void this.#again(), waitMs);
  }
}

/**
 * The sessions of a page of hits come in any order; that of the hits counts.
 * @param {Map<string, Found>} known
 * @param {Found[]} before
 * @param {Hit[]} hits
 */
function inOrderOfHits(known, before, hits) {
  const fresh = hits.map(({ utterance }) => known.get(utterance.session_id)).filter((each) => each !== undefined);
  return [...new Set([...before, ...fresh])];
}

/**
 * Whether asking again can help, without another question.
 * @param {ApiError} error
 */
function canPass(error) {
  return error !== TOO_SLOW && (error.status === 0 || error.status === 429 || error.retryAfterMs !== null);
}
