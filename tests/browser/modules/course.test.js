import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { CourseFollower, PAUSE_MS } from "../../../dashboards/web/session/course.js";
import { ApiError } from "../../../dashboards/web/shared/api.js";

/**
 * A follower of a history that answers with these numbers (or fails with these errors), one after another.
 * @param {(number | Error)[]} answers
 */
function following(answers) {
  const shown = /** @type {number[]} */ ([]);
  let asked = 0;
  const follower = new CourseFollower(async () => {
    const answer = answers[asked++];
    if (answer instanceof Error) throw answer;
    return /** @type {any} */ ({ seq: answer });
  }, () => void shown.push(follower.course?.seq ?? -1));
  return { follower, shown, asked: () => asked };
}

/** Lets answers that are there be taken, then as much time go by as a follower waits. */
async function wait() {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  mock.timers.tick(PAUSE_MS);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

test("nothing is asked for before anything was counted", () => {
  const { follower, asked } = following([]);
  follower.follow(0);
  assert.equal(asked(), 0);
});

test("it asks until the history has caught up, and then no more", async (context) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  const { follower, shown, asked } = following([3, 4]);
  follower.follow(4);
  follower.follow(4);
  assert.equal(asked(), 1, "one at a time");
  await wait();
  assert.deepEqual(shown, [3, 4]);
  await wait();
  follower.follow(4);
  assert.equal(asked(), 2);
  await wait();
  assert.equal(asked(), 2);
});

test("what is counted meanwhile is asked for after a pause", async (context) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  const { follower, asked } = following([1, 5]);
  follower.follow(1);
  follower.follow(5);
  assert.equal(asked(), 1);
  await wait();
  assert.equal(asked(), 2);
  assert.equal(follower.course?.seq, 5);
});

test("a history that is away is asked again, one that refuses is not", async (context) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  context.after(() => mock.timers.reset());
  const away = following([new ApiError(503, "away"), new ApiError(0, "offline"), 2]);
  away.follower.follow(2);
  await wait();
  await wait();
  assert.equal(away.follower.course?.seq, 2);
  const refused = following([new ApiError(403, "foreign"), 2]);
  refused.follower.follow(2);
  await wait();
  refused.follower.follow(3);
  assert.equal(refused.asked(), 1);
});
