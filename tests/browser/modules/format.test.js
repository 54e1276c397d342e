import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { clock, fill, mediaMs, seconds, shares, signed } from "../../../dashboards/web/shared/format.js";

/** @param {string} language */
function messages(language) {
  const path = new URL(`../../../dashboards/web/messages/${language}.json`, import.meta.url);
  return JSON.parse(readFileSync(path, "utf8"));
}

/** @param {string} language @param {import("../../../dashboards/web/shared/format.js").Counts} counts */
function line(language, counts) {
  const { positive, neutral, negative } = shares(counts);
  const values = { ...counts, positive_share: positive, neutral_share: neutral, negative_share: negative };
  return fill(messages(language)["statistics.line"], values, language);
}

test("the running line reads as its users know it", () => {
  const counts = { positive: 12, neutral: 3, negative: 5 };
  assert.equal(line("en", counts), "Positive: 12 (60\u00a0%) / Neutral: 3 (15\u00a0%) / Negative: 5 (25\u00a0%)");
  assert.equal(line("ko", counts), "긍정: 12회 60% / 중립: 3회 15% / 부정: 5회 25%");
});

test("nothing counted is nothing in percent", () => {
  const counts = { positive: 0, neutral: 0, negative: 0 };
  assert.equal(line("en", counts), "Positive: 0 (0\u00a0%) / Neutral: 0 (0\u00a0%) / Negative: 0 (0\u00a0%)");
});

test("equal counts have equal shares", () => {
  assert.deepEqual(shares({ positive: 1, neutral: 1, negative: 1 }), { positive: 33, neutral: 33, negative: 33 });
});

test("a clock shows hours only when there are some", () => {
  assert.deepEqual([0, 7499, 725000, 3723000, -5].map(clock), ["0:00", "0:07", "12:05", "1:02:03", "0:00"]);
});

test("seconds have a decimal while it can be read", () => {
  assert.deepEqual([0, 840, 9990, 12499].map(seconds), [0, 0.8, 10, 12]);
});

test("samples are milliseconds at 16 kHz", () => {
  assert.equal(mediaMs(659200), 41200);
});

test("a place without a value stays visible instead of vanishing", () => {
  assert.equal(fill("{a} {b}", { a: 1.25 }, "en"), "1.3 {b}");
});

test("a number and its unit stay on one line, in every message", () => {
  for (const language of ["en", "ko"]) {
    for (const template of Object.values(messages(language))) {
      const values = Object.fromEntries([...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, 3.6]));
      assert.doesNotMatch(fill(template, values, language), /\d (s|dB|%)(?!\w)/, template);
    }
  }
  assert.equal(fill("{a} s behind, {b} so far, {a} %", { a: 3.6, b: 2 }, "en"), "3.6\u00a0s behind, 2 so far, 3.6\u00a0%");
});

test("scores carry their sign, and zero none", () => {
  assert.deepEqual([0.305, -0.2, 0, -0.001].map((score) => signed(score, "en")), ["+0.31", "-0.20", "0.00", "0.00"]);
});
