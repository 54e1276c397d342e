import assert from "node:assert/strict";
import { test } from "node:test";

import { Outbox } from "../../../dashboards/web/recorder/outbox.js";
import { Uplink } from "../../../dashboards/web/recorder/uplink.js";
import { Far } from "./far.js";

function play() {
  const world = { nowMs: 0, /** @type {Far[]} */ sockets: [], /** @type {[() => void, number][]} */ timers: [] };
  const outbox = new Outbox(10_000);
  const uplink = new Uplink("ws://test", outbox, { language: "en", startedAt: new Date(0) }, /** @type {any} */ ({
    openSocket: () => world.sockets[world.sockets.push(new Far()) - 1],
    now: () => world.nowMs,
    random: () => 0.5,
    later: (/** @type {() => void} */ call, /** @type {number} */ afterMs) => world.timers.push([call, afterMs]),
  }));
  uplink.connect();
  return { world, outbox, uplink };
}

test("audio waits for ready, and then carries the number of its first sample", () => {
  const { world, outbox, uplink } = play();
  outbox.push(Int16Array.of(1, -2, 3));
  uplink.pump();
  world.sockets[0].onopen();
  const start = { type: "start", sample_rate: 16000, encoding: "pcm_s16le", language: "en" };
  const greeting = { ...start, started_at: "1970-01-01T00:00:00.000Z", next_sample: 0 };
  assert.deepEqual(world.sockets[0].received, [greeting]);
  world.sockets[0].say({ type: "ready", next_sample: 0 });
  assert.deepEqual(world.sockets[0].received[1], { first: 0, pcm: [1, -2, 3] });
});

test("after a drop it goes on from its own first unacknowledged sample, whatever ready says", () => {
  const { world, outbox, uplink } = play();
  world.sockets[0].accept();
  outbox.push(Int16Array.of(0, 1, 2, 3));
  uplink.pump();
  world.sockets[0].say({ type: "ack", next_sample: 2 });
  world.sockets[0].onclose();
  outbox.push(Int16Array.of(4));
  world.timers[0][0]();
  world.sockets[1].onopen();
  assert.equal(world.sockets[1].received[0].next_sample, 2);
  world.sockets[1].say({ type: "ready", next_sample: 4 });
  assert.deepEqual(world.sockets[1].received[1], { first: 2, pcm: [2, 3, 4] });
});

test("acknowledgements of a replaced socket count for nothing", () => {
  const { world, outbox, uplink } = play();
  world.sockets[0].accept();
  outbox.push(new Int16Array(8));
  uplink.pump();
  world.sockets[0].onclose();
  world.timers[0][0]();
  world.sockets[0].say({ type: "ack", next_sample: 8 });
  assert.equal(outbox.acknowledged, 0);
});

test("a pause is declared between the samples", () => {
  const { world, outbox, uplink } = play();
  outbox.push(Int16Array.of(7));
  outbox.skip(16000);
  outbox.push(Int16Array.of(8));
  world.sockets[0].accept();
  uplink.pump();
  assert.deepEqual(world.sockets[0].received.slice(1), [
    { first: 0, pcm: [7] },
    { type: "gap", next_sample: 16001 },
    { first: 16001, pcm: [8] },
  ]);
});

test("it waits longer after every failure, and anew after a success", () => {
  const { world } = play();
  for (let n = 0; n < 8; n++) {
    world.sockets[n].onclose();
    world.timers[n][0]();
  }
  assert.deepEqual(world.timers.map(([, afterMs]) => afterMs), [375, 750, 1500, 3000, 6000, 11250, 11250, 11250]);
  world.sockets[8].accept();
  world.sockets[8].onclose();
  assert.equal(world.timers[8][1], 375);
});

test("a server that is busy is asked again when it said", () => {
  const { world, uplink } = play();
  world.sockets[0].onopen();
  world.sockets[0].say({ type: "error", code: "busy", message: "full", retryable: true, retry_after_ms: 8000 });
  assert.equal(uplink.state, "waiting");
  assert.equal(uplink.retryInMs, 8000);
  world.sockets[0].onclose();
  assert.equal(world.timers.length, 1);
});

test("an error that trying again cannot mend ends it with the server's words", () => {
  const { world, uplink } = play();
  world.sockets[0].onopen();
  world.sockets[0].say({ type: "error", code: "session_ended", message: "start anew", retryable: false });
  assert.equal(uplink.state, "failed");
  assert.equal(uplink.complaint?.message, "start anew");
  assert.equal(world.timers.length, 0);
});

test("a token that is not accepted gives nothing up: it is shown again, ever more slowly, until it is", () => {
  for (const code of ["token_invalid", "token_expired", "token_early", "token_foreign", "login_needed"]) {
    const { world, outbox, uplink } = play();
    outbox.push(Int16Array.of(1, 2));
    for (let n = 0; n < 3; n++) {
      world.sockets[n].onopen();
      world.sockets[n].say({ type: "error", code, message: "not you", retryable: false });
      assert.equal(uplink.state, "waiting");
      assert.ok(uplink.isRefused);
      world.timers[n][0]();
    }
    assert.equal(outbox.keptSamples, 2);
    world.sockets[3].accept();
    assert.equal(uplink.state, "open");
    assert.ok(!uplink.isRefused);
  }
});

test("stop comes after the last sample, and again on a new connection until it is finished", () => {
  const { world, outbox, uplink } = play();
  outbox.push(Int16Array.of(1, 2));
  uplink.stop();
  world.sockets[0].accept();
  assert.deepEqual(world.sockets[0].received.at(-1), { type: "stop" });
  world.sockets[0].say({ type: "ack", next_sample: 2 });
  world.sockets[0].onclose();
  world.timers[0][0]();
  world.sockets[1].accept();
  assert.deepEqual(world.sockets[1].received.map(({ type }) => type), ["start", "stop"]);
  world.sockets[1].say({ type: "finished", samples: 2, utterances: 0 });
  assert.equal(uplink.state, "finished");
});

test("a connection that owes acknowledgements and says nothing is left", () => {
  const { world, outbox, uplink } = play();
  world.sockets[0].accept();
  outbox.push(new Int16Array(8));
  uplink.pump();
  world.nowMs = 14_000;
  uplink.watch();
  assert.equal(uplink.state, "open");
  world.nowMs = 15_001;
  uplink.watch();
  assert.equal(uplink.state, "waiting");
  assert.ok(world.sockets[0].closed);
});

test("a network that takes nothing more is not filled up", () => {
  const { world, outbox, uplink } = play();
  world.sockets[0].accept();
  world.sockets[0].bufferedAmount = 1 << 20;
  outbox.push(new Int16Array(8));
  uplink.pump();
  assert.equal(world.sockets[0].received.length, 1);
  world.sockets[0].bufferedAmount = 0;
  uplink.pump();
  assert.equal(world.sockets[0].received.length, 2);
});

test("where timers are slowed down, the watch tries again when it is time", () => {
  const { world, uplink } = play();
  world.sockets[0].onclose();
  world.nowMs = 374;
  uplink.watch();
  assert.equal(world.sockets.length, 1);
  world.nowMs = 375;
  uplink.watch();
  assert.equal(world.sockets.length, 2);
  world.timers[0][0]();
  assert.equal(world.sockets.length, 2);
});
