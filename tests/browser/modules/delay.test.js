import assert from "node:assert/strict";
import { test } from "node:test";

import { delayPath, quantile, Showings } from "../../../dashboards/web/session/delay.js";
import { utterance } from "./session-parts.js";

const SPOKEN = Date.parse("2026-09-21T09:00:00Z");
/** @param {number | null} ms */
const at = (ms) => (ms === null ? null : new Date(SPOKEN + ms).toISOString());

/** @param {number} n @param {{spoken?: number | null, received?: number | null, ready?: number | null}} times @returns {any} */
function timed(n, { spoken = 0, received = 100, ready = 1200 }) {
  return utterance(n, { timing: { spoken_at: at(spoken), received_at: at(received), transcribed_at: null, classified_at: at(ready) } });
}

test("what was painted here counts to then, what is past to when it was ready", () => {
  const showings = new Showings();
  const [here, past] = [timed(0, {}), timed(1, {})];
  showings.note(here.utterance_id, SPOKEN + 1500);
  assert.deepEqual(showings.delays([here, past]).map(({ delayMs }) => delayMs), [1500, 1200]);
});

test("without the recorder's clock it begins when the server had the audio", () => {
  assert.deepEqual(new Showings().delays([timed(0, { spoken: null })]).map(({ delayMs }) => delayMs), [1100]);
});

test("clocks that cannot be compared give no delay", () => {
  const strange = [timed(0, { spoken: 5000 }), timed(1, { spoken: -3_600_000 }), timed(2, { ready: null }), timed(3, { spoken: null, received: null })];
  assert.deepEqual(new Showings().delays(strange), []);
});

test("showings are forgotten in time", () => {
  const showings = new Showings();
  const [first, last] = [timed(0, {}), timed(9999, {})];
  for (let n = 0; n < 10_000; n++) showings.note(timed(n, {}).utterance_id, SPOKEN + 2000);
  assert.deepEqual(showings.delays([first, last]).map(({ delayMs }) => delayMs), [1200, 2000]);
});

test("the middle and the slow end", () => {
  const delays = Array.from({ length: 100 }, (_, n) => ({ atMs: n, delayMs: (n * 37) % 100 }));
  assert.deepEqual([quantile(delays, 0.5), quantile(delays, 0.95), quantile(delays.slice(0, 1), 0.95)], [50, 95, 0]);
});

test("the line goes from the first to the last, the longest at the top", () => {
  const delays = [{ atMs: 1000, delayMs: 500 }, { atMs: 3000, delayMs: 2000 }, { atMs: 5000, delayMs: 1000 }];
  assert.equal(delayPath(delays, 100, 44), "M0.0 32.0L50.0 2.0L100.0 22.0");
});
