import assert from "node:assert/strict";
import { test } from "node:test";

import { describe } from "../../../dashboards/web/record/status.js";
import { Outbox } from "../../../dashboards/web/recorder/outbox.js";
import { Recorder } from "../../../dashboards/web/recorder/recorder.js";
import { Far, settled } from "./far.js";

const FRAME_SAMPLES = 1600;

const BEGAN = 1_700_000_000_000;

/** A microphone whose frames come when the test says so; `flush` hands over the last ones as the real one does. */
class Played {
  listening = false;
  closed = false;
  isInterrupted = false;
  isLost = false;
  woken = 0;
  onFrame = (/** @type {any} */ _) => {};
  onLost = () => {};
  onInterruption = () => {};
  #answer = () => {};
  listen() {
    this.listening = true;
  }
  wake() {
    this.woken += 1;
  }
  flush() {
    return /** @type {Promise<void>} */ (new Promise((resolve) => (this.#answer = resolve)));
  }
  /** A frame that ended so long after the beginning. @param {number} afterMs */
  hear(afterMs) {
    this.onFrame({ pcm: new Int16Array(FRAME_SAMPLES), peak: 0, rms: 0, at: BEGAN + afterMs });
  }
  /** The audio thread's answer to a flush. */
  async answer() {
    this.listening = false;
    this.#answer();
    await settled();
  }
  /** The device is pulled out. */
  async lose() {
    this.isLost = true;
    this.onLost();
    await this.answer();
  }
  async close() {
    this.closed = true;
  }
}

/** A journal that tells what it was told. */
class Noted {
  isFailing = false;
  /** @type {any[]} */
  notes = [];
  /** @param {any} state @param {boolean} [isLast] */
  async write({ startedAt, isStopping, writtenAt }, isLast = false) {
    this.notes.push([startedAt - BEGAN, isStopping, writtenAt - BEGAN, isLast]);
  }
  renumber() {
    this.notes.push("renumber");
  }
  async forget() {
    this.notes.push("forget");
  }
}

/** @param {{outbox?: Outbox, microphone?: Played | null}} [given] */
function play({ outbox = new Outbox(9_600_000), microphone = new Played() } = {}) {
  const network = (/** @type {boolean} */ _) => {};
  const world = { passedMs: 0, nowMs: 0, far: new Far(), second: () => {}, network, ended: 0 };
  const end = () => (world.ended += 1);
  const journal = new Noted();
  /** @type {any} */
  const take = { url: "ws://test", language: "en", startedAt: BEGAN, outbox, journal };
  const recorder = new Recorder(take, /** @type {any} */ (microphone), /** @type {any} */ ({
    openSocket: () => world.far,
    now: () => world.nowMs,
    timeOfDay: () => BEGAN + world.passedMs,
    random: () => 0.5,
    later: () => {},
    everySecond: (/** @type {() => void} */ call) => ((world.second = call), end),
    onNetwork: (/** @type {(isOnline: boolean) => void} */ call) => ((world.network = call), end),
  }));
  world.far.accept();
  return { world, microphone: /** @type {Played} */ (microphone), recorder, journal };
}

/** What went over the wire behind the greeting: first sample and length, or what a message says. @param {Far} far */
function sent(far) {
  return far.received.slice(1).map((each) => (each.pcm ? [each.first, each.pcm.length] : [each.type, each.next_sample]));
}

test("a stop right after a pause waits for the last frame", async () => {
  const { world, microphone, recorder } = play();
  microphone.hear(100);
  recorder.pause();
  void recorder.stop();
  await settled();
  microphone.hear(200);
  await microphone.answer();
  assert.deepEqual(sent(world.far), [[0, 1600], [1600, 1600], ["stop", undefined]]);
  assert.ok(microphone.closed);
});

test("going on right after a pause waits for the last frame, and time runs on at its own pace", async () => {
  const { world, microphone, recorder } = play();
  microphone.hear(100);
  recorder.pause();
  world.passedMs = 150;
  void recorder.goOn();
  await settled();
  microphone.hear(200);
  world.passedMs = 200;
  await microphone.answer();
  assert.equal(recorder.report().phase, "recording");
  world.passedMs = 300;
  microphone.hear(300);
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

test("a sleep is a gap: what is said afterwards lies at its time of day", () => {
  const { world, microphone, recorder } = play();
  microphone.hear(100);
  microphone.hear(600_200);
  microphone.hear(600_300);
  const asleep = 600_000 * 16;
  assert.deepEqual(sent(world.far), [
    [0, 1600],
    ["gap", 1600 + asleep],
    [1600 + asleep, 1600],
    [3200 + asleep, 1600],
  ]);
  assert.equal(recorder.report().lengthMs, 600_300);
});

test("a page that was busy takes the frames that waited without a gap", () => {
  const { world, microphone } = play();
  world.passedMs = 30_000;
  for (let at = 100; at <= 1000; at += 100) microphone.hear(at);
  assert.equal(world.far.received.some(({ type }) => type === "gap"), false);
});

test("frames that come late by less than two seconds are no gap", () => {
  const { world, microphone } = play();
  microphone.hear(2000);
  microphone.hear(2100);
  assert.deepEqual(sent(world.far), [[0, 1600], [1600, 1600]]);
});

test("a pause, with a sleep in it, is declared once: a second at once and the rest when it ends", async () => {
  const { world, microphone, recorder } = play();
  microphone.hear(100);
  recorder.pause();
  await microphone.answer();
  for (world.passedMs = 500; world.passedMs <= 3500; world.passedMs += 1000) world.second();
  assert.deepEqual(sent(world.far).slice(1), [["gap", 17_600]]);
  world.passedMs = 900_000;
  assert.equal(recorder.report().lengthMs, 900_000);
  await recorder.goOn();
  microphone.hear(900_100);
  const whole = 900_000 * 16;
  assert.deepEqual(sent(world.far).slice(1), [["gap", 17_600], ["gap", whole], [whole, 1600]]);
});

test("a pause that is shorter than a sleep must be to count is declared as well", async () => {
  const { world, microphone, recorder } = play();
  microphone.hear(100);
  recorder.pause();
  await microphone.answer();
  world.passedMs = 900;
  await recorder.goOn();
  microphone.hear(1000);
  assert.deepEqual(sent(world.far), [[0, 1600], ["gap", 14_400], [14_400, 1600]]);
});

test("a clock that is put back takes nothing away", async () => {
  const { world, microphone, recorder } = play();
  for (let at = 100; at <= 5000; at += 100) microphone.hear(at);
  world.passedMs = -60_000;
  recorder.pause();
  await microphone.answer();
  world.second();
  assert.equal(recorder.report().lengthMs, 5000);
  await recorder.goOn();
  microphone.hear(-59_900);
  assert.equal(recorder.report().lengthMs, 5100);
});

test("a clock that jumps forward declares no more than the server's clock allows, and is believed from then on", () => {
  const { world, microphone, recorder } = play();
  const jumped = 3_600_000;
  world.far.say({ type: "status", behind_ms: 0, latest_sample: 5000 * 16 });
  microphone.hear(100);
  microphone.hear(jumped + 200);
  assert.deepEqual(sent(world.far), [[0, 1600]]);
  world.nowMs = 3100;
  world.far.say({ type: "status", behind_ms: 0, latest_sample: 8000 * 16 });
  assert.deepEqual(sent(world.far).slice(1), [["gap", 128_000], [128_000, 1600]]);
  microphone.hear(jumped + 300);
  assert.deepEqual(sent(world.far).slice(3), [[129_600, 1600]]);
  assert.equal(recorder.report().lengthMs, 8200);
});

test("a sleep over which the connection lasted waits for the server's word and is declared whole", () => {
  const { world, microphone } = play();
  world.far.say({ type: "status", behind_ms: 0, latest_sample: 5000 * 16 });
  microphone.hear(60_000);
  assert.deepEqual(sent(world.far), []);
  world.nowMs = 900;
  world.far.say({ type: "status", behind_ms: 0, latest_sample: 65_900 * 16 });
  assert.deepEqual(sent(world.far), [["gap", 59_900 * 16], [59_900 * 16, 1600]]);
});

test("an interruption is told, asked to end every second, and over when the sound runs again", () => {
  const { world, microphone, recorder } = play();
  let changes = 0;
  recorder.onChange = () => (changes += 1);
  microphone.isInterrupted = true;
  microphone.onInterruption();
  assert.equal(changes, 1);
  assert.deepEqual(describe(recorder.report()), { key: "status.interrupted", values: {}, trouble: true });
  world.second();
  assert.equal(microphone.woken, 1);
  microphone.isInterrupted = false;
  microphone.onInterruption();
  microphone.hear(60_000);
  assert.notEqual(describe(recorder.report()).key, "status.interrupted");
  assert.deepEqual(sent(world.far), [["gap", 59_900 * 16], [59_900 * 16, 1600]]);
});

test("a recording that is over lets go of its clock and its network", async () => {
  const { world, microphone, recorder } = play();
  void recorder.stop();
  await microphone.answer();
  world.far.say({ type: "finished", samples: 0, utterances: 0 });
  assert.equal(recorder.report().phase, "finished");
  assert.equal(world.ended, 2);
});

test("a microphone that goes away pauses the recording, and another one goes on in it at its time of day", async () => {
  const { world, microphone, recorder } = play();
  let told = 0;
  recorder.onLost = () => (told += 1);
  microphone.hear(100);
  await microphone.lose();
  assert.equal(told, 1);
  assert.deepEqual(describe(recorder.report()), { key: "status.deaf", values: {}, trouble: true });
  const other = new Played();
  world.passedMs = 5000;
  await recorder.goOn(/** @type {any} */ (other));
  assert.ok(microphone.closed && other.listening);
  assert.equal(recorder.report().isDeaf, false);
  other.hear(5100);
  assert.deepEqual(sent(world.far), [[0, 1600], ["gap", 80_000], [80_000, 1600]]);
});

test("a microphone that comes when the recording has been stopped is given back", async () => {
  const { microphone, recorder } = play();
  await microphone.lose();
  const other = new Played();
  void recorder.stop();
  await recorder.goOn(/** @type {any} */ (other));
  assert.ok(other.closed && !other.listening);
});

test("without a microphone what is left is sent, and that is the end", () => {
  const outbox = new Outbox(9_600_000, 16_000);
  outbox.push(Int16Array.of(1, 2, 3));
  const { world, recorder } = play({ outbox, microphone: null });
  assert.equal(recorder.report().phase, "finishing");
  assert.equal(world.far.received[0].next_sample, 16_000);
  assert.deepEqual(sent(world.far), [[16_000, 3], ["stop", undefined]]);
  world.far.say({ type: "finished", samples: 16_003, utterances: 1 });
  assert.equal(recorder.report().phase, "finished");
});

test("its journal is kept every second and before the end of the page, and given up with the recording", async () => {
  const { world, microphone, recorder, journal } = play();
  world.passedMs = 1000;
  world.second();
  recorder.save();
  void recorder.stop();
  await microphone.answer();
  world.far.say({ type: "finished", samples: 0, utterances: 0 });
  assert.deepEqual(journal.notes, [
    [0, false, 0, true],
    [0, false, 1000, false],
    [0, false, 1000, true],
    [0, true, 1000, true],
    "forget",
  ]);
});

test("a gap that had to be made shorter is written down anew, with the beginning that follows from it", () => {
  const { world, microphone, journal } = play();
  world.far.say({ type: "status", behind_ms: 0, latest_sample: 5000 * 16 });
  microphone.hear(60_000);
  world.nowMs = 3100;
  world.far.say({ type: "status", behind_ms: 0, latest_sample: 8000 * 16 });
  assert.equal(journal.notes.at(-1), "renumber");
  world.second();
  assert.deepEqual(journal.notes.at(-1), [51_900, false, 0, false]);
});

test("a session that is gone ends it, and what could not be sent is told", () => {
  const { world, microphone, recorder, journal } = play();
  world.far.bufferedAmount = 1 << 20;
  for (let at = 100; at <= 4000; at += 100) microphone.hear(at);
  assert.ok(recorder.report().isUnsent);
  world.far.say({ type: "error", code: "session_ended", message: "it was deleted", retryable: false });
  const values = { reason: "it was deleted", seconds: 4 };
  assert.deepEqual(describe(recorder.report()), { key: "status.failed.unsent", values, trouble: true });
  assert.ok(microphone.closed);
  assert.equal(journal.notes.at(-1), "forget");
});

test("a token that is not accepted ends nothing: it is said, and journal and microphone stay", () => {
  const { world, microphone, recorder, journal } = play();
  world.far.bufferedAmount = 1 << 20;
  for (let at = 100; at <= 4000; at += 100) microphone.hear(at);
  world.far.say({ type: "error", code: "token_invalid", message: "another secret", retryable: false });
  const values = { reason: "another secret", seconds: 4 };
  assert.deepEqual(describe(recorder.report()), { key: "status.refused", values, trouble: true });
  assert.equal(recorder.report().phase, "recording");
  assert.ok(!microphone.closed);
  assert.ok(!journal.notes.includes("forget"));
});

test("what is always on its way is nothing to ask about, and what the browser cannot store is told", () => {
  const { microphone, recorder, journal } = play();
  for (let at = 100; at <= 3000; at += 100) microphone.hear(at);
  assert.equal(recorder.report().isUnsent, false);
  microphone.hear(3100);
  assert.equal(recorder.report().isUnsent, true);
  assert.equal(recorder.report().isUnkept, false);
  journal.isFailing = true;
  assert.equal(recorder.report().isUnkept, true);
});

test("a network that goes away is told at once, and tried again as soon as it is back", () => {
  const { world, microphone, recorder } = play();
  microphone.hear(100);
  world.network(false);
  assert.ok(world.far.closed);
  microphone.hear(200);
  assert.deepEqual(describe(recorder.report()), { key: "status.offline", values: { seconds: 0.2 }, trouble: true });
  world.far = new Far();
  world.network(true);
  world.far.accept();
  assert.deepEqual(sent(world.far), [[0, 3200]]);
});
