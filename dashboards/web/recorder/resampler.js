/**
 * From any microphone's rate to 16 kHz: a polyphase windowed-sinc filter, usable in a worklet and in tests.
 *
 * The ratio of the two rates is a fraction L/M in lowest terms. Output n lies at input position n·M/L; its whole part
 * says which inputs the filter covers and its remainder, one of L phases, which set of coefficients. So the count of
 * samples is exact for ever, and how the input is cut into chunks cannot matter.
 */

export const TARGET_RATE = 16000;

/** Stop-band attenuation that the window is made for, in decibels: what folds back stays below it. */
const ATTENUATION_DB = 75;
/** Where the filter begins to fall, as a share of the lower of the two Nyquist frequencies; it is shut at 1. */
const PASS_SHARE = 0.9;

/**
 * The modified Bessel function of the first kind and order 0, by its power series.
 * @param {number} x
 */
function bessel0(x) {
  let sum = 1;
  for (let k = 1, term = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/** @param {number} x */
function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/**
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * The filter's coefficients, one row per phase, each row summing to 1 (Kaiser's window and length).
 * @param {number} rate
 * @param {number} phases
 */
function makeFilter(rate, phases) {
  const nyquist = Math.min(rate, TARGET_RATE) / 2;
  const transition = (nyquist * (1 - PASS_SHARE)) / rate;
  const cutoff = (nyquist * (1 + PASS_SHARE)) / 2 / rate;
  const half = Math.ceil((ATTENUATION_DB - 7.95) / (2 * 14.36 * transition)) + 1;
  const beta = 0.1102 * (ATTENUATION_DB - 8.7);
  const rows = [];
  for (let phase = 0; phase < phases; phase++) {
    const row = new Float64Array(2 * half);
    let sum = 0;
    for (let tap = 0; tap < row.length; tap++) {
      const time = tap - half + 1 - phase / phases;
      const edge = 1 - (time / half) ** 2;
      row[tap] = sinc(2 * cutoff * time) * bessel0(beta * Math.sqrt(Math.max(edge, 0)));
      sum += row[tap];
    }
    rows.push(row.map((value) => value / sum));
  }
  return { half, rows };
}

export class Resampler {
  #step;
  #phases;
  #half;
  #rows;
  /** Input still needed, and the number of its first sample (below 0: the silence before the start). */
  #pending;
  #first;
  #taken = 0;
  #made = 0;

  /** @param {number} rate Samples per second of the input, a whole number. */
  constructor(rate) {
    if (!Number.isInteger(rate) || rate < 4000) throw new RangeError(`cannot resample from ${rate} Hz`);
    const divisor = greatestCommonDivisor(rate, TARGET_RATE);
    this.#phases = TARGET_RATE / divisor;
    this.#step = rate / divisor;
    const { half, rows } = makeFilter(rate, this.#phases);
    this.#half = half;
    this.#rows = rows;
    this.#pending = new Float32Array(half - 1);
    this.#first = 1 - half;
  }

  /**
   * Takes input and returns what 16 kHz samples are ready; the filter looks a few milliseconds ahead.
   * @param {Float32Array} input Mono, in [-1, 1].
   * @returns {Float32Array}
   */
  push(input) {
    this.#taken += input.length;
    return this.#filter(input, Infinity);
  }

  /**
   * The samples that the look-ahead still held back. Afterwards as many came out as input samples times L/M, rounded up.
   * @returns {Float32Array}
   */
  flush() {
    return this.#filter(new Float32Array(this.#half), Math.ceil((this.#taken * this.#phases) / this.#step));
  }

  /**
   * @param {Float32Array} input
   * @param {number} last Number of the output to stop before.
   */
  #filter(input, last) {
    const joined = new Float32Array(this.#pending.length + input.length);
    joined.set(this.#pending);
    joined.set(input, this.#pending.length);
    const end = this.#first + joined.length;
    const output = [];
    let centre = Math.floor((this.#made * this.#step) / this.#phases);
    while (this.#made < last && centre + this.#half < end) {
      const row = this.#rows[(this.#made * this.#step) % this.#phases];
      const start = centre - this.#half + 1 - this.#first;
      let sum = 0;
      for (let tap = 0; tap < row.length; tap++) sum += row[tap] * joined[start + tap];
      output.push(sum);
      this.#made += 1;
      centre = Math.floor((this.#made * this.#step) / this.#phases);
    }
    const needed = Math.min(centre - this.#half + 1 - this.#first, joined.length);
    this.#pending = joined.slice(needed);
    this.#first += needed;
    return Float32Array.from(output);
  }
}

/**
 * Samples in [-1, 1] as signed 16-bit integers, clipped.
 * @param {Float32Array} samples
 * @returns {Int16Array}
 */
export function toInt16(samples) {
  return Int16Array.from(samples, (value) => Math.max(-32768, Math.min(32767, Math.round(value * 32767))));
}
