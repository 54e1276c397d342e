import assert from "node:assert/strict";
import { test } from "node:test";

import { Resampler, TARGET_RATE, toInt16 } from "../../../dashboards/web/recorder/resampler.js";

/** @param {number} rate @param {number} hertz @param {number} seconds */
function tone(rate, hertz, seconds) {
  return Float32Array.from({ length: rate * seconds }, (_, n) => Math.sin((2 * Math.PI * hertz * n) / rate));
}

/** @param {Resampler} resampler @param {Float32Array} input @param {number} size */
function run(resampler, input, size) {
  const output = [];
  for (let at = 0; at < input.length; at += size) output.push(...resampler.push(input.subarray(at, at + size)));
  output.push(...resampler.flush());
  return output;
}

/** Level against a full sine in decibels, edges left out. @param {number[]} samples */
function level(samples) {
  const middle = samples.slice(400, -400);
  const power = middle.reduce((sum, value) => sum + value * value, 0) / middle.length;
  return 10 * Math.log10(2 * power + 1e-30);
}

for (const rate of [48000, 44100, 96000, 32000]) {
  test(`${rate} Hz: what is above 8 kHz comes back below -60 dB, from the edge upward`, () => {
    for (let hertz = 8000; hertz < rate / 2; hertz += 509) {
      const heard = level(run(new Resampler(rate), tone(rate, hertz, 0.25), 128));
      assert.ok(heard < -60, `${hertz} Hz folds back at ${heard.toFixed(1)} dB`);
    }
  });

  test(`${rate} Hz: speech frequencies pass unchanged in level and in time`, () => {
    for (let hertz = 100; hertz <= 7000; hertz += 690) {
      const output = run(new Resampler(rate), tone(rate, hertz, 0.25), 128);
      const wanted = tone(TARGET_RATE, hertz, 0.25);
      const error = output.map((value, n) => value - wanted[n]);
      assert.ok(level(error) < -55, `${hertz} Hz differs by ${level(error).toFixed(1)} dB`);
    }
  });
}

for (const rate of [48000, 44100]) {
  test(`${rate} Hz: of a sweep up to the highest frequency only what 16 kHz can hold is left, in its place`, () => {
    const seconds = 4;
    const highest = rate / 2;
    const sweep = Float32Array.from({ length: rate * seconds }, (_, n) => {
      return Math.sin((Math.PI * highest * (n / rate) ** 2) / seconds);
    });
    const output = run(new Resampler(rate), sweep, 128);
    assert.ok(Math.abs(output.length - TARGET_RATE * seconds) <= 1, `${output.length} samples`);
    for (let at = 0; at + 1200 <= output.length; at += 400) {
      const [from, to] = [at, at + 1200].map((n) => (highest * n) / (TARGET_RATE * seconds));
      const heard = level(output.slice(at, at + 1200));
      if (from > 8000) assert.ok(heard < -60, `${from.toFixed()} Hz folds back at ${heard.toFixed(1)} dB`);
      if (from > 50 && to < 7200) assert.ok(Math.abs(heard) < 0.5, `${from.toFixed()} Hz comes at ${heard.toFixed(2)} dB`);
    }
  });
}

for (const rate of [48000, 44100, 22050, 16000, 8000]) {
  test(`${rate} Hz: the count is right to within one sample`, () => {
    for (const length of [1, 127, 128, 4411, rate + 1]) {
      const output = run(new Resampler(rate), new Float32Array(length), 128);
      assert.ok(Math.abs(output.length - (length * TARGET_RATE) / rate) <= 1, `${length} in, ${output.length} out`);
    }
  });

  test(`${rate} Hz: how the input is cut does not matter`, () => {
    const input = Float32Array.from({ length: 5000 }, (_, n) => Math.sin(n * n * 1e-4));
    const whole = run(new Resampler(rate), input, input.length);
    for (const size of [1, 7, 128, 1023]) assert.deepEqual(run(new Resampler(rate), input, size), whole);
  });
}

test("a rate that is no rate is refused", () => {
  assert.throws(() => new Resampler(44100.5), RangeError);
  assert.throws(() => new Resampler(0), RangeError);
});

test("samples beyond full scale are clipped, not wrapped", () => {
  assert.deepEqual([...toInt16(Float32Array.from([0, 1, -1, 3, -3]))], [0, 32767, -32767, 32767, -32768]);
});
