/** One recording: microphone, outbox and uplink put together, and its state as a few values for the page. */

import { Microphone } from "./microphone.js";
import { Outbox } from "./outbox.js";
import { TARGET_RATE } from "./resampler.js";
import { BROWSER as UPLINK_BROWSER, Uplink } from "./uplink.js";

/** @typedef {import("./microphone.js").Frame} Frame */
/**
 * What a recording needs of the world besides what its uplink does. Both calls return the way to end them.
 * @typedef {object} Rhythm
 * @property {() => number} timeOfDay In milliseconds. It goes on while the machine sleeps.
 * @property {(call: () => void) => () => void} everySecond
 * @property {(call: () => void) => () => void} whenOnline Whenever the browser says that it is online again.
 * @typedef {import("./uplink.js").World & Rhythm} World
 */
/**
 * @typedef {"recording" | "paused" | "finishing" | "finished" | "failed"} Phase
 * @typedef {"connecting" | "live" | "behind" | "offline" | "busy"} Connection
 * @typedef {object} Report
 * @property {Phase} phase
 * @property {Connection} connection
 * @property {number} lengthMs Media time since the start, pauses included.
 * @property {number} keptMs Audio that only this page has.
 * @property {number} behindMs How far the words lag behind the speech.
 * @property {number} retryInMs
 * @property {number} lostMs Audio given up for want of room.
 * @property {boolean} isInterrupted Whether the system keeps the microphone from being heard for a while.
 * @property {string | null} complaint What the server said was wrong, in its words.
 */

const KEPT_MINUTES = 10;
const CATCHING_UP_MS = 3000;
/** So long a pause is declared at once, so that the words before it become final; the rest when it ends. */
const DECLARED_PAUSE_MS = 1000;
/** When samples lag so far behind the time of day, there were none: the machine slept or the sound was interrupted. */
const MOST_LAG_MS = 2000;
const SAMPLES_PER_MS = TARGET_RATE / 1000;

/** @type {World} */
const BROWSER = {
  ...UPLINK_BROWSER,
  timeOfDay: () => Date.now(),
  everySecond: (call) => {
    const timer = setInterval(call, 1000);
    return () => clearInterval(timer);
  },
  whenOnline: (call) => {
    globalThis.addEventListener("online", call);
    return () => globalThis.removeEventListener("online", call);
  },
};

export class Recorder {
  #microphone;
  #world;
  #outbox = new Outbox(KEPT_MINUTES * 60 * TARGET_RATE);
  #uplink;
  /** @type {Phase} */
  #phase = "recording";
  #startedAt;
  #isPauseDeclared = false;
  /** Settled when the microphone has handed over all that came before the last pause. */
  #flushed = Promise.resolve();
  #quit;
  /** @type {(frame: Frame) => void} */
  onLevel = () => {};
  /** Called when the microphone has gone away; the recording is then paused. */
  onLost = () => {};
  onChange = () => {};

  /**
   * Starts at once.
   * @param {Microphone} microphone
   * @param {string} url The session's audio WebSocket, token included.
   * @param {string | null} language
   * @param {World} world
   */
  constructor(microphone, url, language, world = BROWSER) {
    this.#microphone = microphone;
    this.#world = world;
    this.#startedAt = world.timeOfDay();
    this.#uplink = new Uplink(url, this.#outbox, { language, startedAt: new Date(this.#startedAt) }, world);
    this.#uplink.onChange = () => this.#follow();
    this.#uplink.onShortened = (samples) => (this.#startedAt += samples / SAMPLES_PER_MS);
    microphone.onFrame = (frame) => this.#take(frame);
    microphone.onLost = () => {
      this.onLost();
      this.pause();
    };
    microphone.onInterruption = () => this.#changed();
    microphone.listen();
    this.#quit = [world.everySecond(() => this.#tick()), world.whenOnline(() => this.#uplink.retryNow())];
    this.#uplink.connect();
  }

  /** @returns {Report} */
  report() {
    const unacknowledgedMs = (this.#outbox.nextSample - this.#outbox.acknowledged) / SAMPLES_PER_MS;
    const keptMs = this.#outbox.keptSamples / SAMPLES_PER_MS;
    return {
      phase: this.#phase,
      connection: this.#connection(keptMs),
      lengthMs: (this.#outbox.nextSample + this.#undeclaredPauseSamples()) / SAMPLES_PER_MS,
      keptMs,
      behindMs: Math.max(this.#uplink.behindMs ?? 0, unacknowledgedMs),
      retryInMs: this.#uplink.retryInMs,
      lostMs: this.#outbox.lostSamples / SAMPLES_PER_MS,
      isInterrupted: this.#phase === "recording" && this.#microphone.isInterrupted,
      complaint: this.#uplink.complaint?.message ?? null,
    };
  }

  pause() {
    if (this.#phase !== "recording") return;
    this.#phase = "paused";
    this.#isPauseDeclared = false;
    this.#flushed = this.#microphone.flush();
    this.#changed();
  }

  async goOn() {
    await this.#flushed;
    if (this.#phase !== "paused") return;
    this.#declareGap(this.#undeclaredPauseSamples());
    this.#phase = "recording";
    this.#microphone.listen();
    this.#changed();
  }

  /** Stops listening; the phase becomes `finished` when the server has heard and said everything. */
  async stop() {
    if (this.#phase !== "recording" && this.#phase !== "paused") return;
    if (this.#phase === "recording") this.#flushed = this.#microphone.flush();
    this.#phase = "finishing";
    this.#changed();
    await this.#flushed; // the server takes nothing behind a stop
    this.#uplink.stop();
    await this.#microphone.close();
  }

  /** Whether closing the page now would lose something. */
  isUnsaved() {
    const over = this.#phase === "finished" || this.#phase === "failed";
    return !over && (this.#phase === "recording" || this.#outbox.keptSamples > 0);
  }

  /** @param {Frame} frame */
  #take(frame) {
    const missing = this.#missingSamples(frame.at) - frame.pcm.length;
    if (missing > MOST_LAG_MS * SAMPLES_PER_MS) this.#declareGap(missing);
    this.#outbox.push(frame.pcm);
    this.#uplink.pump();
    this.onLevel(frame);
  }

  #tick() {
    const declared = DECLARED_PAUSE_MS * SAMPLES_PER_MS;
    if (!this.#isPauseDeclared && this.#undeclaredPauseSamples() >= declared) {
      this.#isPauseDeclared = true;
      this.#declareGap(declared);
    }
    this.#microphone.wake();
    this.#uplink.watch();
    this.#changed();
  }

  /**
   * How many samples there would be by a time of day, over those that there are; pauses already declared count as such.
   * @param {number} timeOfDay
   */
  #missingSamples(timeOfDay) {
    return Math.floor((timeOfDay - this.#startedAt) * SAMPLES_PER_MS) - this.#outbox.nextSample;
  }

  #undeclaredPauseSamples() {
    return this.#phase === "paused" ? Math.max(0, this.#missingSamples(this.#world.timeOfDay())) : 0;
  }

  /** @param {number} samples */
  #declareGap(samples) {
    this.#outbox.skip(samples);
    this.#uplink.pump();
  }

  /**
   * @param {number} keptMs
   * @returns {Connection}
   */
  #connection(keptMs) {
    const { state, complaint } = this.#uplink;
    if (state === "open") return keptMs > CATCHING_UP_MS ? "behind" : "live";
    if (state === "waiting") return complaint ? "busy" : "offline";
    return this.#outbox.acknowledged > 0 ? "offline" : "connecting";
  }

  #follow() {
    if (this.#uplink.state === "finished" || this.#uplink.state === "failed") this.#end(this.#uplink.state);
    this.#changed();
  }

  /** @param {"finished" | "failed"} phase */
  #end(phase) {
    if (this.#phase === "finished" || this.#phase === "failed") return;
    const listening = this.#phase !== "finishing";
    this.#phase = phase;
    this.#quit.forEach((quit) => quit());
    if (listening) void this.#microphone.close();
  }

  #changed() {
    this.onChange();
  }
}
