import assert from "node:assert/strict";
import { test } from "node:test";

import { isWithin, loudnessPath, moodOf, saidPaths, scorePaths, talkPath, toMs, toX } from "../../../dashboards/web/session/lanes.js";
import { utterance, window } from "./session-parts.js";

const ACROSS = { left: 50, width: 400, fromMs: 0, toMs: 40_000 };
const PART = { left: 50, width: 400, fromMs: 20_000, toMs: 30_000 };
const LANE = { top: 10, height: 100 };

test("a moment has its place, and the place its moment", () => {
  for (const ms of [0, 12_345, 40_000]) assert.ok(Math.abs(toMs(toX(ms, ACROSS), ACROSS) - ms) <= 1);
  assert.deepEqual([toX(-5, ACROSS), toX(90_000, ACROSS)], [50, 450]);
  assert.deepEqual([toMs(0, ACROSS), toMs(999, ACROSS)], [0, 40_000]);
});

test("a part of a session lies across all of the line", () => {
  assert.deepEqual([20_000, 25_000, 30_000].map((ms) => toX(ms, PART)), [50, 250, 450]);
  assert.deepEqual([0, 60_000].map((ms) => toX(ms, PART)), [50, 450]);
  assert.deepEqual([50, 250, 450].map((x) => toMs(x, PART)), [20_000, 25_000, 30_000]);
  assert.deepEqual([19_999, 20_000, 30_000, 30_001].map((ms) => isWithin(ms, PART)), [false, true, true, false]);
  assert.equal(talkPath([window(20_000, { talk_ms: 10_000, silence_ms: 0 })], LANE, PART), "M51 10h398v100h-398z");
  const sentiment = { label: "neutral", score: 0, model: "m" };
  assert.equal(saidPaths([utterance(19, { sentiment }), utterance(31, { sentiment })], LANE, PART, 3).neutral, "");
});

test("a good score goes up from the middle, a bad one down, and one near 0 is neither", () => {
  const paths = scorePaths([window(0, { score: 0.5 }), window(10_000, { score: -1 }), window(20_000, { score: 0.05 }), window(30_000)], LANE, ACROSS);
  assert.equal(paths.positive, "M51 35h98v25h-98z");
  assert.equal(paths.negative, "M151 60h98v50h-98z");
  assert.equal(paths.neutral, "M251 58.5h98v3h-98z");
  assert.deepEqual([0.1, -0.1, 0.0999, -0.02].map(moodOf), ["positive", "negative", "neutral", "neutral"]);
});

test("talk stands on the ground, as high as its share; silence is nothing", () => {
  const windows = [window(0, { talk_ms: 5000, silence_ms: 5000 }), window(10_000), window(20_000, { talk_ms: 4000, silence_ms: 0 })];
  assert.equal(talkPath(windows, LANE, ACROSS), "M51 60h98v50h-98zM251 10h98v100h-98z");
});

test("loudness lies round the middle, from nothing at -60 dBFS to all of it at 0", () => {
  assert.equal(loudnessPath([window(0, { loudness_dbfs: -30 }), window(10_000)], LANE, ACROSS), "M51 35h98v50h-98z");
  assert.equal(loudnessPath([window(0, { loudness_dbfs: -90 })], LANE, ACROSS), "M51 59.3h98v1.5h-98z");
});

test("each judged utterance has a dot at its score, by its own label", () => {
  const sentiment = { label: "negative", score: -0.5, model: "m" };
  const paths = saidPaths([utterance(0, { sentiment }), utterance(10)], LANE, ACROSS, 3);
  assert.deepEqual([paths.positive, paths.neutral], ["", ""]);
  assert.equal(paths.negative, "M49.5 85a3 3 0 1 0 6 0a3 3 0 1 0 -6 0");
});

test("a lane is one path, and a bar is never too thin to see", () => {
  const many = Array.from({ length: 1000 }, (_, n) => window(n * 40, { size_ms: 40, score: 0.9 }));
  assert.equal(scorePaths(many, LANE, ACROSS).positive.split("M").length - 1, 1000);
  assert.match(scorePaths(many, LANE, ACROSS).positive, /h1v/);
});
