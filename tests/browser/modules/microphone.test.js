import assert from "node:assert/strict";
import { test } from "node:test";

import { Microphone } from "../../../dashboards/web/recorder/microphone.js";
import { settled } from "./far.js";

/** The parts of the browser's audio that the microphone holds, played by the test. */
function play() {
  const track = Object.assign(new EventTarget(), { stop: () => {}, getSettings: () => ({ deviceId: "one" }) });
  const context = Object.assign(new EventTarget(), {
    state: "running",
    asked: 0,
    resume: async () => {
      context.asked += 1;
      throw new Error("not while it lasts");
    },
    enter: (/** @type {string} */ state) => {
      context.state = state;
      context.dispatchEvent(new Event("statechange"));
    },
  });
  const node = { port: { /** @type {any} */ onmessage: null, /** @type {string[]} */ told: [], postMessage: (/** @type {string} */ word) => node.port.told.push(word) } };
  const stream = { getAudioTracks: () => [track], getTracks: () => [track] };
  const microphone = new Microphone(.../** @type {[any, any, any]} */ ([stream, context, node]));
  return { context, node, microphone, track };
}

test("an interruption and its end are told", () => {
  const { context, microphone } = play();
  /** @type {boolean[]} */
  const told = [];
  microphone.onInterruption = () => told.push(microphone.isInterrupted);
  for (const state of ["interrupted", "suspended", "running", "closed"]) context.enter(state);
  assert.deepEqual(told, [true, true, false, false]);
});

test("the sound is asked for again only while it is away, and a refusal harms nothing", async () => {
  const { context, microphone } = play();
  microphone.wake();
  assert.equal(context.asked, 0);
  context.enter("interrupted");
  microphone.wake();
  await settled();
  assert.equal(context.asked, 1);
});

test("a flush waits for the last frame, but not for a sound that does not run", async () => {
  const { context, node, microphone } = play();
  const done = { first: false, second: false, third: false };
  void microphone.flush().then(() => (done.first = true));
  await settled();
  assert.equal(done.first, false);
  node.port.onmessage({ data: { flushed: true } });
  await settled();
  assert.equal(done.first, true);
  void microphone.flush().then(() => (done.second = true));
  context.enter("interrupted");
  void microphone.flush().then(() => (done.third = true));
  await settled();
  assert.deepEqual(done, { first: true, second: true, third: true });
  assert.deepEqual(node.port.told, ["flush", "flush", "flush"]);
});

test("a device that goes away is told once, by its track or by the list of devices", async (t) => {
  const list = { devices: [{ kind: "audioinput", deviceId: "one" }] };
  const mediaDevices = Object.assign(new EventTarget(), { enumerateDevices: async () => list.devices });
  const former = Object.getOwnPropertyDescriptor(globalThis, "navigator") ?? { value: undefined, configurable: true };
  Object.defineProperty(globalThis, "navigator", { value: { mediaDevices }, configurable: true });
  t.after(() => Object.defineProperty(globalThis, "navigator", former));
  const { microphone, track } = play();
  let told = 0;
  microphone.onLost = () => (told += 1);
  mediaDevices.dispatchEvent(new Event("devicechange"));
  await settled();
  assert.equal(told, 0);
  list.devices = [{ kind: "videoinput", deviceId: "one" }];
  mediaDevices.dispatchEvent(new Event("devicechange"));
  await settled();
  assert.ok(microphone.isLost);
  track.dispatchEvent(new Event("ended"));
  assert.equal(told, 1);
});
