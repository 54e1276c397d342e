import assert from "node:assert/strict";
import { test } from "node:test";

import { Hints } from "../../../dashboards/web/record/loudness.js";

/** The last hint after so many frames of a sound. @param {Hints} hints @param {number} frames @param {number} rms */
function hear(hints, frames, rms, peak = rms) {
  let hint = hints.hear({ peak, rms });
  for (let n = 1; n < frames; n++) hint = hints.hear({ peak, rms });
  return hint;
}

test("speech and its pauses are worth no word, eight quiet seconds are, until something is heard", () => {
  const hints = new Hints();
  assert.equal(hear(hints, 600, 0.05), "");
  assert.equal(hear(hints, 80, 0.001), "");
  assert.equal(hear(hints, 1, 0.001), "quiet");
  assert.equal(hear(hints, 1, 0.05), "");
});

test("a distorted moment is told for as long as it takes to read", () => {
  const hints = new Hints();
  assert.equal(hear(hints, 1, 0.3, 1), "clipped");
  assert.equal(hear(hints, 24, 0.05), "clipped");
  assert.equal(hear(hints, 1, 0.05), "");
});

test("perfect silence is a microphone that is switched off", () => {
  const hints = new Hints();
  assert.equal(hear(hints, 29, 0), "");
  assert.equal(hear(hints, 1, 0), "silent");
  assert.equal(hear(hints, 1, 0.0001), "");
});
