import assert from "node:assert/strict";
import { test } from "node:test";

import { PAUSE_MS, Reader } from "../../../dashboards/web/session/reader.js";
import { ApiError } from "../../../dashboards/web/shared/api.js";
import { utterances } from "./session-parts.js";

/** A reader of a history with this many utterances, as the server pages it; it may be made to fail or to wait. */
function history(/** @type {number} */ count) {
  const all = utterances(0, count);
  const asked = /** @type {import("../../../dashboards/web/session/reader.js").Read extends (wanted: infer W) => any ? W[] : never} */ ([]);
  const server = { error: /** @type {Error | null} */ (null), wait: Promise.resolve() };
  const reader = new Reader(async (wanted) => {
    asked.push(wanted);
    const { fromMs, isBackwards, limit } = wanted;
    await server.wait;
    if (server.error) throw server.error;
    const found = all.filter(({ start_ms }) => (isBackwards ? start_ms < fromMs : start_ms >= fromMs));
    return { utterances: isBackwards ? found.slice(-limit) : found.slice(0, limit), hasMore: found.length > limit };
  }, () => {});
  return { reader, server, asked };
}

/** @param {Reader} reader */
const ends = ({ passage }) => [passage.utterances[0]?.start_ms / 1000, (passage.utterances.at(-1)?.start_ms ?? NaN) / 1000];

test("it opens anywhere, with some words before", async () => {
  const { reader } = history(10_000);
  await reader.turnTo(5_000_000);
  assert.deepEqual(ends(reader), [4900, 5199]);
  assert.deepEqual([reader.passage.hasEarlier, reader.passage.hasLater, reader.busy], [true, true, null]);
});

test("it goes on to both ends, page by page, and no further", async () => {
  const { reader, asked } = history(450);
  await reader.turnTo(300_000);
  await reader.readEarlier();
  assert.deepEqual(ends(reader), [0, 449]);
  assert.deepEqual([reader.passage.hasEarlier, reader.passage.hasLater], [false, false]);
  const before = asked.length;
  await reader.readEarlier();
  await reader.readLater();
  assert.equal(asked.length, before);
});

test("one request at a time, but going elsewhere is not held up, and the late answer is dropped", async () => {
  const { reader, server, asked } = history(10_000);
  await reader.turnTo(5_000_000);
  let release = () => {};
  server.wait = new Promise((done) => (release = done));
  const first = reader.readEarlier();
  await reader.readEarlier();
  await reader.readLater();
  assert.equal(asked.length, 3, "two of the first turn, and one");
  const second = reader.turnTo(9_000_000);
  release();
  await Promise.all([first, second]);
  assert.deepEqual(ends(reader), [8900, 9199]);
});

test("what is under way is let go when the reader stays", async () => {
  const { reader, server } = history(100);
  let release = () => {};
  server.wait = new Promise((done) => (release = done));
  const asking = reader.turnTo(50_000);
  reader.stay();
  release();
  await asking;
  assert.equal(reader.passage.utterances.length, 0);
  assert.equal(reader.busy, null);
});

test("a failure is told, not repeated by itself, and tried again when asked", async () => {
  const { reader, server, asked } = history(10_000);
  await reader.turnTo(5_000_000);
  server.error = new ApiError(503, "the history is away");
  await reader.readEarlier();
  assert.deepEqual(reader.trouble, { at: "earlier", reason: "the history is away" });
  const before = asked.length;
  await reader.readEarlier();
  assert.equal(asked.length, before);
  server.error = null;
  await reader.tryAgain();
  assert.equal(reader.trouble, null);
  assert.deepEqual(ends(reader), [4700, 5199]);
  server.error = new ApiError(0, "offline");
  await reader.turnTo(1_000_000);
  server.error = null;
  await reader.tryAgain();
  assert.deepEqual(ends(reader), [900, 1199]);
});

test("a fault of the page is no trouble of the history", async () => {
  const { reader, server } = history(10);
  server.error = new TypeError("broken");
  await assert.rejects(reader.turnTo(0), TypeError);
});

test("what was shown live and is not stored yet is asked for in a measured way", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { reader } = history(10);
  reader.passage.turnTo(utterances(0, 10), { hasEarlier: false, hasLater: true });
  const asking = reader.readLater();
  for (let turn = 0; turn < 9; turn++) await Promise.resolve();
  assert.equal(reader.busy, "later");
  t.mock.timers.tick(PAUSE_MS);
  await asking;
  assert.equal(reader.busy, null);
});
