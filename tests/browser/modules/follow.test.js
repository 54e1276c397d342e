import assert from "node:assert/strict";
import { test } from "node:test";

import { Follow, NEAR_PX } from "../../../dashboards/web/shared/follow.js";

/** A reader at the end of a list, 1000 pixels down. */
function atEnd() {
  const follow = new Follow();
  follow.settle(1000);
  return follow;
}

test("a reader at the end is taken along, and misses nothing", () => {
  const follow = atEnd();
  follow.arrive(3);
  follow.scroll({ top: 1200, below: 0 });
  assert.deepEqual({ ...follow }, { isOn: true, missed: 0 });
});

test("scrolling up lets go of the end at once, and what comes is counted", () => {
  const follow = atEnd();
  follow.scroll({ top: 990, below: 10 });
  assert.equal(follow.isOn, false);
  follow.arrive(2);
  follow.arrive(5);
  assert.equal(follow.missed, 7);
});

test("scrolling down to the end, or asking for it, is following again", () => {
  const follow = atEnd();
  follow.scroll({ top: 500, below: 500 });
  follow.arrive(7);
  follow.scroll({ top: 800, below: 200 });
  assert.equal(follow.missed, 7, "not there yet");
  follow.scroll({ top: 970, below: NEAR_PX });
  assert.deepEqual({ ...follow }, { isOn: true, missed: 0 });
  follow.scroll({ top: 100, below: 900 });
  follow.arrive(1);
  follow.jump();
  assert.deepEqual({ ...follow }, { isOn: true, missed: 0 });
});

test("a list that shrinks at its end is no reading back", () => {
  const follow = atEnd();
  follow.scroll({ top: 940, below: 0 });
  assert.equal(follow.isOn, true);
});

test("what is added above moves the place down, and that is no coming back", () => {
  const follow = atEnd();
  follow.scroll({ top: 300, below: 700 });
  follow.settle(5300);
  follow.scroll({ top: 5290, below: 700 });
  assert.equal(follow.isOn, false);
});

test("the end of what is at hand is not the end while there is more", () => {
  const follow = atEnd();
  follow.leave(200);
  follow.scroll({ top: 900, below: Infinity });
  assert.equal(follow.isOn, false);
});
