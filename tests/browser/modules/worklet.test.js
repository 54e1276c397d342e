import assert from "node:assert/strict";
import { test } from "node:test";

/** @type {any[]} */
const posted = [];
class Processor {
  port = { onmessage: (/** @type {{data: string}} */ _) => {}, postMessage: (/** @type {any} */ message) => posted.push(message) };
}
/** @type {any} */
let Capture = null;
Object.assign(globalThis, {
  sampleRate: 48000,
  AudioWorkletProcessor: Processor,
  registerProcessor: (/** @type {string} */ _, /** @type {any} */ made) => (Capture = made),
});
await import("../../../dashboards/web/recorder/capture-worklet.js");

test("a frame is 100 ms long and carries the time of day at which it was heard", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 1_700_000_000_000 });
  const capture = new Capture();
  capture.port.onmessage({ data: "listen" });
  for (let n = 0; n < 40; n++) capture.process([[new Float32Array(128)]]);
  assert.equal(posted.length, 1);
  assert.equal(posted[0].pcm.length, 1600);
  assert.equal(posted[0].at, 1_700_000_000_000);
});
