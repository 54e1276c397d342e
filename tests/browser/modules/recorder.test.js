import assert from "node:assert/strict";
import { test } from "node:test";

import { Recorder } from "../../../dashboards/web/recorder/recorder.js";
import { Far, settled } from "./far.js";

const FRAME_SAMPLES = 1600;

/** A microphone whose frames come when the test says so; `flush` hands over the last ones as the real one does. */
class Played {
  listening = false;
  closed = false;
  onFrame = (/** @type {any} */ _) => {};
  onLost = () => {};
  #answer = () => {};
  listen() {
    this.listening = true;
  }
  flush() {
    return /** @type {Promise<void>} */ (new Promise((resolve) => (this.#answer = resolve)));
  }
  /** @param {number} value @param {number} at */
  hear(value, at) {
    this.onFrame({ pcm: new Int16Array(FRAME_SAMPLES).fill(value), peak: 0, rms: 0, at });
  }
  /** The audio thread's answer to a flush. */
  async answer() {
    this.listening = false;
    this.#answer();
    await settled();
  }
  async close() {
    this.closed = true;
  }
}

function play() {
  const world = { nowMs: 0, far: new Far(), second: () => {}, ended: 0 };
  const microphone = new Played();
  const end = () => (world.ended += 1);
  const recorder = new Recorder(/** @type {any} */ (microphone), "ws://test", "en", /** @type {any} */ ({
    openSocket: () => world.far,
    now: () => world.nowMs,
    random: () => 0.5,
    later: () => {},
    everySecond: (/** @type {() => void} */ call) => ((world.second = call), end),
    whenOnline: () => end,
  }));
  world.far.accept();
  return { world, microphone, recorder };
}

/** What went over the wire behind the greeting: first sample and length, or what a message says. @param {Far} far */
function sent(far) {
  return far.received.slice(1).map((each) => (each.pcm ? [each.first, each.pcm.length] : [each.type, each.next_sample]));
}

test("a stop right after a pause waits for the last frame", async () => {
  const { world, microphone, recorder } = play();
  microphone.hear(1, 100);
  recorder.pause();
  void recorder.stop();
  await settled();
  microphone.hear(2, 200);
  await microphone.answer();
  assert.deepEqual(sent(world.far), [[0, 1600], [1600, 1600], ["stop", undefined]]);
  assert.ok(microphone.closed);
});

test("going on right after a pause waits for the last frame, and time runs on at its own pace", async () => {
  const { world, microphone, recorder } = play();
  microphone.hear(1, 100);
  recorder.pause();
  void recorder.goOn();
  await settled();
  microphone.hear(2, 200);
  world.nowMs = 200;
  await microphone.answer();
  assert.equal(recorder.report().phase, "recording");
  world.nowMs = 300;
  microphone.hear(3, 300);
  assert.equal(recorder.report().lengthMs, 300);
  assert.deepEqual(sent(world.far), [[0, 1600], [1600, 1600], [3200, 1600]]);
});

test("going on, cut short by a stop, does not listen again", async () => {
  const { microphone, recorder } = play();
  recorder.pause();
  void recorder.goOn();
  void recorder.stop();
  await microphone.answer();
  assert.equal(microphone.listening, false);
  assert.equal(recorder.report().phase, "finishing");
});

test("a recording that is over lets go of its clock and its network", async () => {
  const { world, microphone, recorder } = play();
  void recorder.stop();
  await microphone.answer();
  world.far.say({ type: "finished", samples: 0, utterances: 0 });
  assert.equal(recorder.report().phase, "finished");
  assert.equal(world.ended, 2);
});
