import assert from "node:assert/strict";
import { test } from "node:test";

import { NOTHING } from "../../../dashboards/web/history/question.js";
import { GIVE_UP_MS, Results, SLOW_MS } from "../../../dashboards/web/history/results.js";
import { sayState, sayTrouble } from "../../../dashboards/web/history/words.js";
import { ApiError } from "../../../dashboards/web/shared/api.js";

/** @typedef {import("../../../dashboards/web/history/results.js").Page} Page */

/** A session by its number. @returns {any} */
const session = (/** @type {number} */ number) => ({ session_id: `s${number}`, tags: [] });
/** A hit in a session. @returns {any} */
const hit = (/** @type {number} */ number, /** @type {number} */ at) => ({ utterance: { session_id: `s${number}`, utterance_id: `s${number}-${at}` } });
const question = (/** @type {string} */ words) => ({ ...NOTHING, words });

/** Results whose questions the test answers itself. */
function asking() {
  /** @type {{words: string, cursor: string | null, limit: number, signal: AbortSignal, answer: (page: Page) => Promise<void>, fail: (error: Error) => Promise<void>}[]} */
  const asked = [];
  const results = new Results(({ words }, { cursor, limit }, signal) => {
    /** @type {{resolve: (page: Page) => void, reject: (error: Error) => void}} */
    let promised = { resolve: () => {}, reject: () => {} };
    /** @type {Promise<Page>} */
    const promise = new Promise((resolve, reject) => (promised = { resolve, reject }));
    signal.addEventListener("abort", () => promised.reject(new ApiError(0, "aborted")));
    const settled = async () => {
      for (let turn = 0; turn < 9; turn++) await Promise.resolve();
    };
    asked.push({
      ...{ words, cursor, limit, signal },
      answer: (page) => (promised.resolve(page), settled()),
      fail: (error) => (promised.reject(error), settled()),
    });
    return promise;
  }, () => {});
  const ids = () => results.found.map(({ session: { session_id } }) => session_id);
  return { results, asked, ids };
}

test("an older answer never takes the place of a newer one, and is not waited for", async () => {
  const { results, asked, ids } = asking();
  const first = results.turnTo(question("wea"));
  const second = results.turnTo(question("weather"));
  assert.equal(asked[0].signal.aborted, true);
  await asked[1].answer({ sessions: [session(2)], hits: [hit(2, 1)], next: null });
  await asked[0].answer({ sessions: [session(1)], hits: [hit(1, 1)], next: null });
  await Promise.all([first, second]);
  assert.deepEqual(ids(), ["s2"]);
  assert.deepEqual([results.isAsking, results.trouble], [false, null]);
});

test("an answer that came too far to be stopped is not shown either", async () => {
  /** @type {((page: Page) => void)[]} */
  const answers = [];
  const results = new Results(() => new Promise((answer) => answers.push(answer)), () => {});
  const both = [results.turnTo(question("wea")), results.turnTo(question("weather"))];
  answers[1]({ sessions: [session(2)], hits: [hit(2, 1)], next: null });
  await both[1];
  answers[0]({ sessions: [session(1)], hits: [hit(1, 1)], next: null });
  await both[0];
  assert.deepEqual(results.found.map(({ session: { session_id } }) => session_id), ["s2"]);
  assert.equal(results.trouble, null);
});

test("hits lie in their sessions, in their order, over the edges of pages", async () => {
  const { results, asked, ids } = asking();
  void results.turnTo(question("a"));
  await asked[0].answer({ sessions: [session(1), session(2)], hits: [hit(2, 9), hit(2, 5), hit(1, 7)], next: "c" });
  assert.deepEqual(ids(), ["s2", "s1"]);
  const [, last] = results.found;
  void results.more();
  void results.more();
  assert.deepEqual(asked.slice(1).map(({ cursor }) => cursor), ["c"], "one at a time");
  await asked[1].answer({ sessions: [session(0), session(1)], hits: [hit(1, 3), hit(0, 1)], next: null });
  assert.deepEqual(ids(), ["s2", "s1", "s0"]);
  assert.equal(results.found[1], last);
  assert.deepEqual(last.hits.map(({ utterance }) => utterance.utterance_id), ["s1-7", "s1-3"]);
  assert.deepEqual([results.count, results.hasMore], [5, false]);
});

test("a session that is met again on a later page is shown once", async () => {
  const { results, asked, ids } = asking();
  void results.turnTo(NOTHING);
  await asked[0].answer({ sessions: [session(3), session(2)], windows: [], next: "c" });
  void results.more();
  await asked[1].answer({ sessions: [session(2), session(1)], windows: [], next: null });
  assert.deepEqual(ids(), ["s3", "s2", "s1"]);
  assert.equal(results.count, 3);
  results.drop("s2");
  assert.deepEqual(ids(), ["s3", "s1"]);
});

test("who comes back to a long list gets as much of it at once, within what the server gives", async () => {
  const { results, asked } = asking();
  void results.turnTo(NOTHING, 130);
  void results.turnTo(NOTHING, 1000);
  void results.turnTo(NOTHING);
  assert.deepEqual(asked.map(({ limit }) => limit), [130, 500, 50]);
  await asked[2].answer({ sessions: [], windows: [], next: null });
});

test("what was found stays while a question is asked, but not when it fails", async () => {
  const { results, asked, ids } = asking();
  void results.turnTo(question("a"));
  await asked[0].answer({ sessions: [session(1)], hits: [hit(1, 1)], next: null });
  void results.turnTo(question("b"));
  assert.deepEqual(ids(), ["s1"]);
  assert.equal(sayState(results), null);
  await asked[1].fail(new ApiError(503, "too long", null, "search_too_broad"));
  assert.deepEqual(ids(), []);
  assert.equal(results.trouble?.code, "search_too_broad");
});

test("what passes is tried again by itself, ever more patiently; what does not pass is not", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(Math, "random", () => 0.5);
  const { results, asked } = asking();
  void results.turnTo(question("a"));
  await asked[0].fail(new ApiError(503, "away", 2000, "history_away"));
  t.mock.timers.tick(1999);
  assert.equal(asked.length, 1);
  t.mock.timers.tick(1);
  assert.equal(asked.length, 2);
  await asked[1].fail(new ApiError(0, "offline"));
  t.mock.timers.tick(3999);
  assert.equal(asked.length, 2);
  t.mock.timers.tick(1);
  await asked[2].answer({ sessions: [session(1)], hits: [hit(1, 1)], next: "c" });
  assert.equal(results.trouble, null);
  void results.more();
  await asked[3].fail(new ApiError(429, "busy", 9000));
  assert.equal(results.count, 1, "what is there stays");
  t.mock.timers.tick(9000);
  assert.equal(asked[4].cursor, "c", "it goes on where it was");
  await asked[4].fail(new ApiError(422, "no word", null, "request_invalid"));
  t.mock.timers.tick(1e9);
  assert.equal(asked.length, 5);
});

test("a new question ends the attempts of the one before", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { results, asked } = asking();
  void results.turnTo(question("a"));
  await asked[0].fail(new ApiError(0, "offline"));
  void results.turnTo(question("b"));
  await asked[1].answer({ sessions: [], hits: [], next: null });
  t.mock.timers.tick(1e9);
  assert.deepEqual(asked.map(({ words }) => words), ["a", "b"]);
});

test("that it takes long is said, and an answer that does not come is given up and not asked for by itself", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { results, asked } = asking();
  const turning = results.turnTo(question("a"));
  assert.equal(sayState(results)?.key, "stream.loading");
  t.mock.timers.tick(SLOW_MS);
  assert.equal(sayState(results)?.key, "history.slow");
  t.mock.timers.tick(GIVE_UP_MS - SLOW_MS);
  await turning;
  assert.equal(results.isSlow, false);
  assert.equal(sayTrouble(/** @type {ApiError} */ (results.trouble)).key, "history.late");
  t.mock.timers.tick(1e9);
  assert.equal(asked.length, 1);
  void results.tryAgain();
  assert.equal(asked.length, 2);
});

test("a fault of the page is no trouble of the history", async () => {
  const { results, asked } = asking();
  const turning = assert.rejects(results.turnTo(NOTHING), TypeError);
  await asked[0].fail(new TypeError("broken"));
  await turning;
});

test("each trouble has words of its own", () => {
  const keys = [
    [new ApiError(503, "", null, "search_too_broad"), "history.broad"],
    [new ApiError(503, "", 2000, "history_away"), "history.away"],
    [new ApiError(422, "", null, "request_invalid"), "history.invalid"],
    [new ApiError(429, ""), "history.busy"],
    [new ApiError(0, ""), "history.offline"],
    [new ApiError(500, "a fault", null, "internal"), "history.failed"],
  ];
  for (const [error, key] of keys) assert.equal(sayTrouble(/** @type {ApiError} */ (error)).key, key);
});
