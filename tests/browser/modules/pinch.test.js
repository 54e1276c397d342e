import assert from "node:assert/strict";
import { test } from "node:test";

import { Pinch } from "../../../dashboards/web/session/pinch.js";

/**
 * @param {number} pointerId
 * @param {number} clientX
 */
const finger = (pointerId, clientX) => ({ pointerId, clientX, clientY: 0 });

test("two fingers that go apart are a factor about their middle; one is nothing", () => {
  const pinch = new Pinch();
  pinch.put(finger(1, 100));
  assert.equal(pinch.move(finger(1, 110)), null);
  pinch.put(finger(1, 100));
  pinch.put(finger(2, 200));
  assert.equal(pinch.isOn, true);
  assert.deepEqual(pinch.move(finger(2, 300)), { factor: 2, x: 200 });
  assert.deepEqual(pinch.move(finger(1, 200)), { factor: 0.5, x: 250 });
  assert.equal(pinch.move(finger(7, 0)), null);
  pinch.lift(finger(2, 300));
  assert.equal(pinch.move(finger(1, 0)), null);
});

test("fingers that nearly touch do not make it jump", () => {
  const pinch = new Pinch();
  pinch.put(finger(1, 100));
  pinch.put(finger(2, 101));
  assert.equal(pinch.move(finger(2, 110))?.factor, 1);
});
