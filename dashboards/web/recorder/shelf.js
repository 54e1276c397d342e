/**
 * Recordings that are not finished, in IndexedDB: what the server has not acknowledged, and what it takes to go on.
 *
 * Each write is one transaction, so what lies here is always what an outbox held at one moment. It survives the page;
 * it is no backup: a browser may throw it away when the disk is full, and a private window does so when it closes.
 */

/** @typedef {import("./outbox.js").Piece} Piece */
/**
 * @typedef {object} Recording Which session is recorded.
 * @property {string} sessionId
 * @property {string} writeToken
 * @property {string} readToken
 * @property {string | null} title
 * @property {string[]} tags
 * @property {string | null} language
 * @typedef {object} Progress How far it is.
 * @property {number} startedAt Time of day of its first sample, in milliseconds.
 * @property {number} acknowledged
 * @property {number} oldest The first sample that is kept; what lies before it and is not acknowledged was given up.
 * @property {number} nextSample
 * @property {number} keptSamples
 * @property {boolean} isStopping Whether nothing more is to be recorded.
 * @property {number} writtenAt Time of day, in milliseconds.
 * @typedef {Recording & Progress} Unfinished
 * @typedef {{sessionId: string} & Piece} Stored
 */

const NAME = "undertone.recorder";
const RECORDINGS = "recordings";
const PIECES = "pieces";
/** Beyond so many the oldest are given up; and all that nobody has touched for so long: their tokens have expired. */
export const MOST_RECORDINGS = 5;
export const MOST_AGE_MS = 2 * 24 * 3_600_000;

export class Shelf {
  #database;

  /** @param {IDBDatabase} database */
  constructor(database) {
    this.#database = database;
    database.onversionchange = () => database.close(); // a later version of the pages wants to change it
  }

  /** Rejects where the browser keeps nothing. */
  static async open() {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(RECORDINGS, { keyPath: "sessionId" });
      request.result.createObjectStore(PIECES, { keyPath: ["sessionId", "end"] });
    };
    return new Shelf(await answer(request));
  }

  /**
   * What is unfinished, the latest first. What is beyond the bounds is forgotten.
   * @param {number} now Time of day, in milliseconds.
   * @returns {Promise<Unfinished[]>}
   */
  async list(now) {
    /** @type {Unfinished[]} */
    const all = await answer(this.#database.transaction(RECORDINGS).objectStore(RECORDINGS).getAll());
    const sorted = all.sort((one, other) => other.writtenAt - one.writtenAt);
    const isKept = (/** @type {Unfinished} */ each, /** @type {number} */ n) =>
      n < MOST_RECORDINGS && now - each.writtenAt < MOST_AGE_MS;
    for (const each of sorted.filter((one, n) => !isKept(one, n))) await this.forget(each.sessionId);
    return sorted.filter(isKept);
  }

  /**
   * One of them with its pieces in order, as of one moment; null if it is no longer here.
   * @param {string} sessionId
   * @returns {Promise<{unfinished: Unfinished, pieces: Piece[]} | null>}
   */
  async read(sessionId) {
    const transaction = this.#database.transaction([RECORDINGS, PIECES]);
    const [unfinished, pieces] = await Promise.all([
      answer(transaction.objectStore(RECORDINGS).get(sessionId)),
      answer(transaction.objectStore(PIECES).getAll(upTo(sessionId, Infinity))),
    ]);
    return unfinished ? { unfinished, pieces } : null;
  }

  /**
   * Writes a state with the pieces that are new in it, and forgets those that end at or before a sample.
   * @param {Unfinished} unfinished
   * @param {Piece[]} pieces
   * @param {number} forgetTo Infinity to replace all that is here.
   */
  async write(unfinished, pieces, forgetTo) {
    const transaction = this.#database.transaction([RECORDINGS, PIECES], "readwrite");
    const { sessionId } = unfinished;
    transaction.objectStore(RECORDINGS).put(unfinished);
    transaction.objectStore(PIECES).delete(upTo(sessionId, forgetTo));
    for (const piece of pieces) transaction.objectStore(PIECES).put({ sessionId, ...piece });
    await settle(transaction);
  }

  /** @param {string} sessionId */
  async forget(sessionId) {
    const transaction = this.#database.transaction([RECORDINGS, PIECES], "readwrite");
    transaction.objectStore(RECORDINGS).delete(sessionId);
    transaction.objectStore(PIECES).delete(upTo(sessionId, Infinity));
    await settle(transaction);
  }
}

/**
 * The pieces of a recording that end at or before a sample.
 * @param {string} sessionId
 * @param {number} sample
 */
function upTo(sessionId, sample) {
  return IDBKeyRange.bound([sessionId, 0], [sessionId, sample]);
}

/**
 * @template Result
 * @param {IDBRequest<Result>} request
 * @returns {Promise<Result>}
 */
function answer(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @param {IDBTransaction} transaction
 * @returns {Promise<void>}
 */
function settle(transaction) {
  transaction.commit(); // a page that is about to go does not wait for answers
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
