import assert from "node:assert/strict";
import { test } from "node:test";

import { Outbox } from "../../../dashboards/web/recorder/outbox.js";

/** @param {number} from @param {number} length */
const numbers = (from, length) => Int16Array.from({ length }, (_, n) => from + n);

test("samples are read back by number, joined and cut as asked", () => {
  const outbox = new Outbox(1000);
  outbox.push(numbers(0, 10));
  outbox.push(numbers(10, 10));
  assert.equal(outbox.nextSample, 20);
  assert.deepEqual(outbox.read(0, 100), { first: 0, end: 20, pcm: numbers(0, 20) });
  assert.deepEqual(outbox.read(5, 8), { first: 5, end: 13, pcm: numbers(5, 8) });
  assert.equal(outbox.read(20, 100), null);
});

test("acknowledged samples are forgotten, even in the middle of a piece", () => {
  const outbox = new Outbox(1000);
  outbox.push(numbers(0, 10));
  outbox.push(numbers(10, 10));
  outbox.acknowledge(13);
  assert.equal(outbox.keptSamples, 7);
  assert.deepEqual(outbox.read(13, 100), { first: 13, end: 20, pcm: numbers(13, 7) });
});

test("acknowledgements from the past or of what never was change nothing", () => {
  const outbox = new Outbox(1000);
  outbox.push(numbers(0, 10));
  outbox.acknowledge(5);
  outbox.acknowledge(3);
  outbox.acknowledge(11);
  assert.equal(outbox.acknowledged, 5);
  assert.equal(outbox.keptSamples, 5);
});

test("a pause is a gap between samples and is never joined with them", () => {
  const outbox = new Outbox(1000);
  outbox.push(numbers(0, 10));
  outbox.skip(90);
  outbox.push(numbers(100, 10));
  assert.equal(outbox.read(0, 1000)?.end, 10);
  assert.deepEqual(outbox.read(10, 1000), { first: 10, end: 100, pcm: null });
  assert.deepEqual(outbox.read(100, 1000), { first: 100, end: 110, pcm: numbers(100, 10) });
  outbox.acknowledge(50);
  assert.deepEqual(outbox.read(50, 1000), { first: 50, end: 100, pcm: null });
});

test("when full, the oldest samples are given up and declared as a gap", () => {
  const outbox = new Outbox(25);
  for (let at = 0; at < 40; at += 10) outbox.push(numbers(at, 10));
  assert.equal(outbox.keptSamples, 20);
  assert.equal(outbox.lostSamples, 20);
  assert.deepEqual(outbox.read(0, 1000), { first: 0, end: 20, pcm: null });
  assert.deepEqual(outbox.read(20, 1000), { first: 20, end: 40, pcm: numbers(20, 20) });
});

test("whatever is sent, dropped and acknowledged, reading covers every sample once", () => {
  let seed = 7;
  const random = (/** @type {number} */ below) => (seed = (seed * 48271) % 2147483647) % below;
  const outbox = new Outbox(200);
  let sent = 0;
  for (let step = 0; step < 5000; step++) {
    const kind = random(4);
    if (kind === 0) outbox.push(numbers(outbox.nextSample, 1 + random(60)));
    if (kind === 1 && random(5) === 0) outbox.skip(random(50));
    if (kind === 2) outbox.acknowledge(outbox.acknowledged + random(40));
    if (kind === 3) sent = outbox.acknowledged;
    const piece = outbox.read(sent, 100);
    if (!piece) continue;
    assert.equal(piece.first, sent);
    assert.ok(piece.end > sent && piece.end <= outbox.nextSample);
    if (piece.pcm) assert.deepEqual(piece.pcm, numbers(sent, piece.end - sent));
    sent = piece.end;
  }
});

test("a gap that is made shorter renumbers what follows", () => {
  const outbox = new Outbox(1000);
  outbox.push(numbers(0, 10));
  outbox.skip(60);
  outbox.skip(40);
  outbox.push(numbers(0, 5));
  assert.equal(outbox.shorten(/** @type {any} */ (outbox.read(10, 100)), 40), 30);
  assert.equal(outbox.nextSample, 85);
  assert.deepEqual(outbox.read(10, 100), { first: 10, end: 40, pcm: null });
  assert.equal(outbox.shorten({ first: 40, end: 80, pcm: null }, 0), 40);
  assert.deepEqual(outbox.read(40, 100), { first: 40, end: 45, pcm: numbers(0, 5) });
  assert.equal(outbox.nextSample, 45);
  assert.equal(outbox.keptSamples, 15);
});

test("restored from its pieces it holds what it held", () => {
  const pieces = [
    { first: 0, end: 10, pcm: numbers(0, 10) },
    { first: 10, end: 20, pcm: null },
    { first: 20, end: 30, pcm: numbers(20, 10) },
    { first: 30, end: 90, pcm: null },
  ];
  const outbox = Outbox.restore(1000, { acknowledged: 4, oldest: 4 }, pieces);
  assert.equal(outbox.acknowledged, 4);
  assert.equal(outbox.oldest, 4);
  assert.equal(outbox.nextSample, 90);
  assert.equal(outbox.keptSamples, 16);
  assert.deepEqual(outbox.read(4, 100), { first: 4, end: 10, pcm: numbers(4, 6) });
  assert.deepEqual(outbox.read(10, 100), { first: 10, end: 20, pcm: null });
  assert.deepEqual(outbox.read(20, 100), { first: 20, end: 30, pcm: numbers(20, 10) });
  assert.deepEqual(outbox.read(30, 100), { first: 30, end: 90, pcm: null });
});

test("restored after some were given up, it gives up no more", () => {
  const pieces = [{ first: 0, end: 30, pcm: numbers(0, 30) }];
  const outbox = Outbox.restore(25, { acknowledged: 2, oldest: 10 }, pieces);
  assert.equal(outbox.lostSamples, 0);
  assert.deepEqual(outbox.read(2, 100), { first: 2, end: 10, pcm: null });
  assert.deepEqual(outbox.read(10, 100), { first: 10, end: 30, pcm: numbers(10, 20) });
});

test("the oldest is behind what was acknowledged and what was given up", () => {
  const outbox = new Outbox(25, 100);
  assert.equal(outbox.oldest, 100);
  for (let at = 100; at < 140; at += 10) outbox.push(numbers(at, 10));
  assert.equal(outbox.oldest, 120);
  outbox.acknowledge(125);
  assert.equal(outbox.oldest, 125);
  outbox.acknowledge(140);
  assert.equal(outbox.oldest, 140);
});
