/**
 * Runs on the audio thread: mixes the microphone to mono, resamples it to 16 kHz and posts 100 ms frames.
 *
 * Out: `{pcm: Int16Array, peak, rms, at}` per frame (peak and rms of full scale 1; `at` is the time of day at its end,
 * in milliseconds, which tells a sleeping machine from a page that is busy), `{flushed: true}` after a `flush`.
 * In: `"flush"` sends what has been gathered, filled up with silence to the least frame that the server takes, and
 * stops listening; `"listen"` starts afresh.
 */

import { Resampler, TARGET_RATE, toInt16 } from "./resampler.js";

const FRAME_SAMPLES = TARGET_RATE / 10;
const LEAST_SAMPLES = TARGET_RATE / 50;

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate);
  #frame = new Float32Array(FRAME_SAMPLES);
  #filled = 0;
  #listening = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data === "listen") this.#listen();
      if (data === "flush") this.#flush();
    };
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const channels = inputs[0];
    if (!this.#listening || channels.length === 0) return true;
    const mono = new Float32Array(channels[0].length);
    for (const channel of channels) channel.forEach((value, n) => (mono[n] += value / channels.length));
    this.#take(this.#resampler.push(mono));
    return true;
  }

  #listen() {
    this.#resampler = new Resampler(sampleRate);
    this.#filled = 0;
    this.#listening = true;
  }

  #flush() {
    if (this.#listening) {
      this.#take(this.#resampler.flush());
      if (this.#filled > 0) this.#post(Math.max(this.#filled, LEAST_SAMPLES));
      this.#listening = false;
    }
    this.port.postMessage({ flushed: true });
  }

  /** @param {Float32Array} samples */
  #take(samples) {
    for (const value of samples) {
      this.#frame[this.#filled] = value;
      this.#filled += 1;
      if (this.#filled === FRAME_SAMPLES) this.#post(FRAME_SAMPLES);
    }
  }

  /** @param {number} length */
  #post(length) {
    const samples = this.#frame.slice(0, length).fill(0, this.#filled);
    const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const rms = Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / length);
    const pcm = toInt16(samples);
    this.#filled = 0;
    this.port.postMessage({ pcm, peak, rms, at: Date.now() }, [pcm.buffer]);
  }
}

registerProcessor("undertone-capture", Capture);
