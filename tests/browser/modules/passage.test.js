import assert from "node:assert/strict";
import { test } from "node:test";

import { MOST, MOST_IN_HASTE, Passage } from "../../../dashboards/web/session/passage.js";
import { utterances } from "./session-parts.js";

/** @param {Passage} passage Which utterances it holds, by number, and whether there are others. */
function held({ utterances: all, hasEarlier, hasLater }) {
  const [first, last] = [all[0], all.at(-1)].map((each) => (each ? each.start_ms / 1000 : null));
  all.forEach((each, n) => assert.equal(each.start_ms, all[0].start_ms + n * 1000, "no gap and nothing twice"));
  return { first, last, hasEarlier, hasLater };
}

/** @param {number} first @param {number} end */
const live = (first, end) => ({ utterances: utterances(first, end), hasEarlier: first > 0 });

test("it begins as the end of a live session and goes along with it", () => {
  const passage = new Passage();
  passage.meet(live(100, 600), true);
  assert.deepEqual(held(passage), { first: 100, last: 599, hasEarlier: true, hasLater: false });
  passage.meet(live(110, 610), true);
  assert.deepEqual(held(passage), { first: 100, last: 609, hasEarlier: true, hasLater: false });
});

test("under a reader who follows, it lets the beginning go when nothing comes, however long the session", () => {
  const passage = new Passage();
  for (let end = 0; end <= 10_000; end += 50) {
    passage.meet(live(Math.max(0, end - 500), end), true);
    passage.trim();
    assert.ok(passage.utterances.length <= MOST + 100);
  }
  const { last, hasEarlier, hasLater } = held(passage);
  assert.deepEqual([last, hasEarlier, hasLater], [9999, true, false]);
});

test("however much comes in haste, there is a bound", () => {
  const passage = new Passage();
  for (let end = 0; end <= 10_000; end += 50) {
    passage.meet(live(Math.max(0, end - 500), end), true);
    assert.ok(passage.utterances.length <= MOST_IN_HASTE);
  }
  assert.equal(held(passage).last, 9999);
});

test("under a reader who does not follow, nothing is let go: what has no room is later", () => {
  const passage = new Passage();
  passage.meet(live(0, 500), true);
  for (let end = 500; end <= 3000; end += 50) passage.meet(live(Math.max(0, end - 500), end), false);
  assert.deepEqual(held(passage), { first: 0, last: MOST - 1, hasEarlier: false, hasLater: true });
});

test("what a snapshot leaves out between is a gap for who reads, and a new place for who follows", () => {
  for (const follows of [false, true]) {
    const passage = new Passage();
    passage.meet(live(0, 100), true);
    passage.meet(live(2000, 2500), follows);
    const expected = follows ? { first: 2000, last: 2499, hasEarlier: true } : { first: 0, last: 99, hasEarlier: false };
    assert.deepEqual(held(passage), { ...expected, hasLater: !follows });
  }
});

test("a stretch elsewhere grows to both sides and joins the live end again", () => {
  const passage = new Passage();
  passage.turnTo(utterances(400, 500), { hasEarlier: true, hasLater: true });
  passage.addEarlier(utterances(300, 400), true);
  passage.addLater(utterances(499, 600), true);
  passage.meet(live(700, 1200), false);
  assert.deepEqual(held(passage), { first: 300, last: 599, hasEarlier: true, hasLater: true });
  passage.addLater(utterances(599, 800), true);
  passage.meet(live(700, 1200), false);
  assert.deepEqual(held(passage), { first: 300, last: 1099, hasEarlier: true, hasLater: true });
  passage.addEarlier(utterances(0, 300), false);
  assert.deepEqual(held(passage), { first: 0, last: MOST - 1, hasEarlier: false, hasLater: true });
});

test("going on to the end lets the beginning go, and the end is the end", () => {
  const passage = new Passage();
  passage.turnTo(utterances(0, 700), { hasEarlier: false, hasLater: true });
  passage.addLater(utterances(700, 900), false);
  passage.meet(live(500, 900), false);
  assert.deepEqual(held(passage), { first: 900 - MOST, last: 899, hasEarlier: true, hasLater: false });
});

test("a moment finds what is being said then, or was said last", () => {
  const passage = new Passage();
  assert.equal(passage.at(5), null);
  passage.turnTo(utterances(10, 20), { hasEarlier: true, hasLater: true });
  const at = (/** @type {number} */ ms) => passage.at(ms)?.start_ms;
  assert.deepEqual([at(10_000), at(10_999), at(11_000), at(19_000), at(90_000), at(3)], [10_000, 10_000, 11_000, 19_000, 19_000, 10_000]);
});

test("it knows which moments it can answer for", () => {
  const passage = new Passage();
  assert.equal(passage.covers(0), true, "an empty session has nothing anywhere");
  passage.turnTo([], { hasEarlier: true, hasLater: true });
  assert.equal(passage.covers(0), false);
  passage.turnTo(utterances(10, 20), { hasEarlier: true, hasLater: true });
  assert.deepEqual([9_999, 10_000, 19_500, 19_501].map((ms) => passage.covers(ms)), [false, true, true, false]);
  passage.turnTo(utterances(10, 20), { hasEarlier: false, hasLater: false });
  assert.deepEqual([0, 90_000].map((ms) => passage.covers(ms)), [true, true]);
});
