import assert from "node:assert/strict";
import { test } from "node:test";

import { LATE_MS, standing, UNHEARD_MS } from "../../../dashboards/web/live/attention.js";
import { judged, said, watched } from "./wall-parts.js";

test("the mood now is that of the last minute, by the number of what was judged", () => {
  const heard = watched(600_000, [-1, -1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
  assert.equal(standing(heard, 0).score, 0.5);
  heard.addWindow(judged(590_000, 0.1, { neutral: 0, positive: 5, seq: 2 }));
  assert.ok(Math.abs((standing(heard, 0).score ?? 0) - 0.3) < 1e-9);
  assert.equal(standing(heard, 0).mood, "positive");
  assert.deepEqual([standing(watched(600_000, []), 0).mood, standing(watched(600_000, []), 0).trend], [null, null]);
});

test("a low mood needs attention, one low sentence does not", () => {
  assert.deepEqual(standing(watched(60_000, [-0.3, -0.3]), 0).needs, ["low"]);
  assert.deepEqual(standing(watched(60_000, [-0.29, -0.3]), 0).needs, []);
  assert.deepEqual(standing(watched(60_000, [-0.9]), 0).needs, []);
});

test("a mood that falls needs attention, whatever it is; one that rises does not", () => {
  const four = Array(24).fill(0.6);
  assert.deepEqual(standing(watched(300_000, [...four, ...Array(6).fill(0.25)]), 0).needs, ["falling"]);
  assert.equal(standing(watched(300_000, [...four, ...Array(6).fill(0.25)]), 0).trend, "down");
  assert.equal(standing(watched(300_000, [...four, ...Array(6).fill(0.4)]), 0).trend, "steady");
  assert.deepEqual(standing(watched(300_000, [...four.map(() => -0.5), ...Array(6).fill(0)]), 0).needs, []);
  assert.equal(standing(watched(300_000, [...four.map(() => -0.5), ...Array(6).fill(0)]), 0).trend, "up");
  assert.equal(standing(watched(300_000, [0.9, ...Array(6).fill(0)]), 0).trend, null, "one sentence before is too little");
});

test("what was said more than five minutes ago counts no more", () => {
  const heard = watched(300_000, [0.9, 0.9, ...Array(28).fill(null)]);
  heard.addUtterance(said(340, 1000));
  assert.equal(heard.endMs, 350_000);
  for (const at of [330_000, 340_000]) heard.addWindow(judged(at, 0));
  assert.equal(standing(heard, 0).trend, null);
});

test("nothing received and late words need attention", () => {
  const heard = watched(60_000, []);
  assert.deepEqual(standing(heard, UNHEARD_MS - 1).needs, []);
  heard.note(UNHEARD_MS - 1); // nothing new
  assert.deepEqual(standing(heard, UNHEARD_MS).needs, ["unheard"]);
  heard.addUtterance(said(61, LATE_MS));
  heard.note(UNHEARD_MS);
  assert.deepEqual(standing(heard, UNHEARD_MS).needs, []);
  heard.addUtterance(said(62, LATE_MS + 1));
  assert.deepEqual(standing(heard, UNHEARD_MS).needs, ["late"]);
  heard.addUtterance(said(61, 0));
  assert.deepEqual(standing(heard, UNHEARD_MS).needs, ["late"], "an older one changes nothing");
});

test("a reason weighs more than all behind it together", () => {
  const low = watched(60_000, [-0.5, -0.5]);
  const rest = watched(300_000, [...Array(24).fill(0.6), ...Array(6).fill(0)]);
  rest.addUtterance(said(299, LATE_MS + 1));
  const [one, other] = [standing(low, 0), standing(rest, UNHEARD_MS)];
  assert.deepEqual(other.needs, ["falling", "unheard", "late"]);
  assert.ok(one.rank > other.rank && other.rank > 0);
});
