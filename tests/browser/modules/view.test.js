import assert from "node:assert/strict";
import { test } from "node:test";

import { LEAST_MS, View } from "../../../dashboards/web/session/view.js";

const HOUR = 3_600_000;

/**
 * @param {number} reachMs
 * @param {[number, number] | null} [sight]
 */
function viewOf(reachMs, sight = null) {
  const view = new View();
  view.stretch(reachMs, sight);
  return view;
}

test("at first it is all there is, also when there comes to be more", () => {
  const view = viewOf(HOUR);
  assert.deepEqual(view.stretch(HOUR, null), { fromMs: 0, toMs: HOUR });
  assert.deepEqual(view.stretch(2 * HOUR, [0, 1000]), { fromMs: 0, toMs: 2 * HOUR });
  assert.deepEqual([view.isPart, view.canCloseIn], [false, true]);
});

test("what is looked at keeps its place when it comes nearer, and when it goes away again", () => {
  const view = viewOf(8 * HOUR);
  view.zoom(4, 2 * HOUR);
  assert.deepEqual(view.stretch(8 * HOUR, null), { fromMs: 1.5 * HOUR, toMs: 3.5 * HOUR });
  view.zoom(0.5, 2 * HOUR);
  assert.deepEqual(view.stretch(8 * HOUR, null), { fromMs: HOUR, toMs: 5 * HOUR });
  view.zoom(0.1, 2 * HOUR);
  assert.deepEqual(view.stretch(8 * HOUR, null), { fromMs: 0, toMs: 8 * HOUR });
  assert.equal(view.isPart, false);
});

test("it never leaves the session and never gets too near", () => {
  const view = viewOf(HOUR);
  view.zoom(2, 0);
  assert.equal(view.stretch(HOUR, null).fromMs, 0);
  view.pan(99);
  assert.deepEqual(view.stretch(HOUR, null), { fromMs: HOUR / 2, toMs: HOUR });
  for (let n = 0; n < 20; n += 1) view.zoom(2, HOUR / 2);
  const { fromMs, toMs } = view.stretch(HOUR, null);
  assert.deepEqual([toMs - fromMs, view.canCloseIn], [LEAST_MS, false]);
  view.showAll();
  assert.deepEqual(view.stretch(HOUR, null), { fromMs: 0, toMs: HOUR });
  const short = viewOf(30_000);
  short.zoom(2, 0);
  assert.deepEqual([short.stretch(30_000, null), short.isPart, short.canCloseIn], [{ fromMs: 0, toMs: 30_000 }, false, false]);
});

test("it goes along with the reader, and only when the reader moves", () => {
  const view = viewOf(HOUR, [0, 20_000]);
  view.zoom(6, 0.5 * HOUR); // ten minutes, far from what is read
  const looked = { fromMs: 1_500_000, toMs: 2_100_000 };
  assert.deepEqual(view.stretch(HOUR, [0, 20_000]), looked, "whoever looks elsewhere is left there");
  view.pan(0.5);
  assert.equal(view.stretch(HOUR, [0, 20_000]).fromMs, 1_800_000);
  view.pan(-0.5);
  assert.deepEqual(view.stretch(HOUR, [1_600_000, 1_620_000]), looked, "what is shown already needs no move");
  assert.equal(view.stretch(HOUR, [2_090_000, 2_110_000]).toMs, 2_110_000);
  assert.equal(view.stretch(HOUR, [1_500_000, 1_520_000]).fromMs, 1_500_000);
  assert.deepEqual(view.stretch(HOUR, [3_000_000, 3_020_000]), { fromMs: 2_710_000, toMs: 3_310_000 }, "far: in the middle");
});

test("words longer than what is shown are in its middle", () => {
  const view = viewOf(HOUR);
  view.zoom(60, 0);
  assert.deepEqual(view.stretch(HOUR, [600_000, 780_000]), { fromMs: 660_000, toMs: 720_000 });
});
