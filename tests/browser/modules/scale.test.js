import assert from "node:assert/strict";
import { test } from "node:test";

import { condense, reach, ticks, windowSize } from "../../../dashboards/web/session/scale.js";
import { window } from "./session-parts.js";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test("a past session is as long as it is, a live one has some room ahead", () => {
  assert.equal(reach(215_000, false), 215_000);
  assert.equal(reach(0, false), 1000);
  for (const lengthMs of [0, 29_999, 30_000, 5 * MINUTE, HOUR, 8 * HOUR, 24 * HOUR]) {
    const room = reach(lengthMs, true) - lengthMs;
    assert.ok(room > 0 && room <= Math.max(30_000, lengthMs / 8), `${room} ms after ${lengthMs}`);
  }
});

test("the scale of a live session changes now and then, not with every word", () => {
  const scales = new Set();
  for (let lengthMs = 0; lengthMs < 8 * HOUR; lengthMs += 1000) scales.add(reach(lengthMs, true));
  assert.ok(scales.size < 150, `${scales.size} scales in eight hours`);
});

test("named moments are round, and never nearer than asked for", () => {
  assert.deepEqual(ticks({ fromMs: 0, toMs: 4 * MINUTE, width: 400 }, 70), [0, 60_000, 120_000, 180_000, 240_000]);
  assert.deepEqual(ticks({ fromMs: 3 * HOUR + 5000, toMs: 3 * HOUR + 80_000, width: 400 }, 70), [15, 30, 45, 60, 75].map((s) => 3 * HOUR + s * 1000));
  for (const reachMs of [30_000, 7 * MINUTE, HOUR, 8 * HOUR, 24 * HOUR]) {
    for (const width of [40, 270, 1100, 2400]) {
      const moments = ticks({ fromMs: 0, toMs: reachMs, width }, 70);
      assert.ok(moments.length >= 1);
      if (moments.length > 1) assert.ok((moments[1] / reachMs) * width >= 70 - 1e-9, `${reachMs} in ${width}`);
      assert.ok(moments.every((ms) => ms <= reachMs));
    }
  }
});

test("long sessions are drawn by the minute", () => {
  assert.deepEqual([0, 15 * MINUTE, 15 * MINUTE + 1].map(windowSize), [10_000, 10_000, 60_000]);
});

test("as many windows as there is room for stay as they are", () => {
  const windows = [window(0), window(10_000)];
  assert.equal(condense(windows, 2), windows);
});

test("windows that are joined keep their sums, and their means weigh what was measured", () => {
  const joined = condense(
    [
      window(0, { positive: 3, score: 0.8, talk_ms: 9000, silence_ms: 1000, loudness_dbfs: -10 }),
      window(10_000, { negative: 1, score: -0.4, talk_ms: 3000, silence_ms: 7000, loudness_dbfs: -30 }),
      window(20_000),
    ],
    2,
  );
  assert.equal(joined.length, 2);
  const [first, second] = joined;
  assert.deepEqual([first.start_ms, first.size_ms, first.positive, first.negative, first.talk_ms], [0, 20_000, 3, 1, 12_000]);
  assert.ok(Math.abs((first.score ?? 0) - 0.5) < 1e-9);
  assert.equal(first.loudness_dbfs, -15);
  assert.deepEqual([second.start_ms, second.size_ms, second.score, second.loudness_dbfs], [20_000, 20_000, null, null]);
});

test("a day of minutes becomes no more bars than asked for, and none is missing", () => {
  const day = Array.from({ length: 1440 }, (_, n) => window(n * MINUTE, { size_ms: MINUTE, positive: 1, score: 1 }));
  for (const most of [90, 355, 1000]) {
    const bars = condense(day, most);
    assert.ok(bars.length <= most);
    assert.equal(bars.reduce((sum, { positive }) => sum + positive, 0), 1440);
  }
});
