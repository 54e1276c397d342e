import assert from "node:assert/strict";
import { test } from "node:test";

import { awaitTurn } from "../../../dashboards/web/recorder/turn.js";
import { ApiError } from "../../../dashboards/web/shared/api.js";

/** A world whose timers are over at once, and how long they were. */
function play() {
  /** @type {number[]} */
  const waited = [];
  const later = (/** @type {() => void} */ call, /** @type {number} */ afterMs) => (waited.push(afterMs), call());
  return { waited, world: { random: () => 0.5, later } };
}

test("a busy server is asked again when it said and a little later, and the seconds are told", async () => {
  const { waited, world } = play();
  const answers = [new ApiError(503, "busy", 2000), new ApiError(503, "busy", 1000), null];
  /** @type {number[]} */
  const told = [];
  const ask = async () => {
    const error = answers.shift();
    if (error) throw error;
    return "session";
  };
  assert.equal(await awaitTurn(ask, (seconds) => told.push(seconds), world), "session");
  assert.deepEqual(waited, [1000, 1000, 250, 1000, 125]);
  assert.deepEqual(told, [3, 2, 1, 2, 1]);
});

test("what waiting cannot mend is thrown at once", async () => {
  const { waited, world } = play();
  for (const error of [new ApiError(422, "wrong"), new Error("broken")]) {
    await assert.rejects(awaitTurn(() => Promise.reject(error), () => {}, world), error);
  }
  assert.deepEqual(waited, []);
});
