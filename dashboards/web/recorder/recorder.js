/** One recording: microphone, outbox, journal and uplink put together, and its state as a few values for the page. */

import { TARGET_RATE } from "./resampler.js";
import { BROWSER as UPLINK_BROWSER, Uplink } from "./uplink.js";

/** @typedef {import("./microphone.js").Microphone} Microphone */
/** @typedef {import("./microphone.js").Frame} Frame */
/** @typedef {import("./outbox.js").Outbox} Outbox */
/** @typedef {import("./journal.js").Journal} Journal */
/**
 * What is to be recorded, or recorded on.
 * @typedef {object} Take
 * @property {string} url The session's audio WebSocket, token included.
 * @property {string | null} language
 * @property {number} startedAt Time of day of sample 0, in milliseconds.
 * @property {Outbox} outbox What was recorded already; the next sample is recorded now.
 * @property {Journal | null} journal
 */
/**
 * What a recording needs of the world besides what its uplink does. Both calls return the way to end them.
 * @typedef {object} Rhythm
 * @property {() => number} timeOfDay In milliseconds. It goes on while the machine sleeps.
 * @property {(call: () => void) => () => void} everySecond
 * @property {(call: (isOnline: boolean) => void) => () => void} onNetwork Whenever the network goes away or comes back.
 * @typedef {import("./uplink.js").World & Rhythm} World
 */
/**
 * @typedef {"recording" | "paused" | "finishing" | "finished" | "failed"} Phase
 * @typedef {"connecting" | "live" | "behind" | "offline" | "busy" | "refused"} Connection
 * @typedef {object} Report
 * @property {Phase} phase
 * @property {Connection} connection
 * @property {number} lengthMs Media time since the start, pauses included.
 * @property {number} keptMs Audio that only this page has.
 * @property {number} behindMs How far the words lag behind the speech.
 * @property {number} retryInMs
 * @property {number} lostMs Audio given up for want of room.
 * @property {boolean} isInterrupted Whether the system keeps the microphone from being heard for a while.
 * @property {boolean} isDeaf Whether the microphone has gone away; the recording is paused then.
 * @property {boolean} isUnsent Whether more than what is always on its way waits here: it needs this page to be sent.
 * @property {boolean} isUnkept Whether it is in this page alone: the browser stores nothing for us.
 * @property {string | null} complaint What the server said was wrong, in its words.
 */

/** More than what is on its way while all goes well. */
const CATCHING_UP_MS = 3000;
/** So long a pause is declared at once, so that the words before it become final; the rest when it ends. */
const DECLARED_PAUSE_MS = 1000;
/** When samples lag so far behind the time of day, there were none: the machine slept or the sound was interrupted. */
const MOST_LAG_MS = 2000;
const SAMPLES_PER_MS = TARGET_RATE / 1000;

/** Loaded with the page, since a recording may be taken up while the network is away. */
const clock = globalThis.Worker && new Worker(new URL("./clock-worker.js", import.meta.url));

/** @type {World} */
const BROWSER = {
  ...UPLINK_BROWSER,
  timeOfDay: () => Date.now(),
  everySecond: (call) => {
    clock.onmessage = call;
    clock.postMessage(true);
    return () => clock.postMessage(false);
  },
  onNetwork: (call) => {
    const changes = new AbortController();
    globalThis.addEventListener("online", () => call(true), changes);
    globalThis.addEventListener("offline", () => call(false), changes);
    return () => changes.abort();
  },
};

export class Recorder {
  /** @type {Microphone | null} */
  #microphone = null;
  #world;
  #outbox;
  #journal;
  #uplink;
  /** @type {Phase} */
  #phase = "finishing";
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
   * @param {Take} take
   * @param {Microphone | null} microphone None if nothing more is to be heard: then what is left is sent, and the end.
   * @param {World} world
   */
  constructor({ url, language, startedAt, outbox, journal }, microphone, world = BROWSER) {
    this.#world = world;
    this.#outbox = outbox;
    this.#journal = journal;
    this.#startedAt = startedAt;
    this.#uplink = new Uplink(url, outbox, { language, startedAt: new Date(startedAt) }, world);
    this.#uplink.onChange = () => this.#follow();
    this.#uplink.onShortened = (samples) => {
      this.#startedAt += samples / SAMPLES_PER_MS;
      this.#journal?.renumber();
    };
    if (microphone) this.#listenTo(microphone);
    else this.#uplink.stop();
    this.#quit = [world.everySecond(() => this.#tick()), world.onNetwork((isOnline) => this.#uplink.heed(isOnline))];
    this.#uplink.connect();
    this.save();
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
      isInterrupted: this.#phase === "recording" && this.#microphone?.isInterrupted === true,
      isDeaf: this.#phase === "paused" && this.#microphone?.isLost === true,
      isUnsent: keptMs > CATCHING_UP_MS,
      isUnkept: this.#journal?.isFailing !== false,
      complaint: this.#uplink.complaint?.message ?? null,
    };
  }

  pause() {
    if (this.#phase !== "recording" || !this.#microphone) return;
    this.#phase = "paused";
    this.#isPauseDeclared = false;
    this.#flushed = this.#microphone.flush();
    this.#changed();
  }

  /**
   * Ends the pause.
   * @param {Microphone | null} [microphone] Another one to hear from now on.
   */
  async goOn(microphone = null) {
    await this.#flushed;
    const next = microphone ?? this.#microphone;
    if (this.#phase !== "paused" || !next) return void microphone?.close();
    if (next !== this.#microphone) void this.#microphone?.close();
    this.#declareGap(this.#undeclaredPauseSamples());
    this.#listenTo(next);
    this.#changed();
  }

  /** Stops listening; the phase becomes `finished` when the server has heard and said everything. */
  async stop() {
    if (this.#phase !== "recording" && this.#phase !== "paused") return;
    if (this.#phase === "recording" && this.#microphone) this.#flushed = this.#microphone.flush();
    this.#phase = "finishing";
    this.#changed();
    await this.#flushed; // the server takes nothing behind a stop
    this.#uplink.stop();
    this.save();
    await this.#microphone?.close();
  }

  /** Writes down what a page that is about to go would lose. */
  save() {
    void this.#write(true);
  }

  /** @param {Microphone} microphone */
  #listenTo(microphone) {
    this.#microphone = microphone;
    this.#phase = "recording";
    microphone.onFrame = (frame) => this.#take(frame);
    microphone.onLost = () => {
      this.pause();
      this.onLost();
    };
    microphone.onInterruption = () => this.#changed();
    microphone.listen();
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
    this.#microphone?.wake();
    this.#uplink.watch();
    void this.#write();
    this.#changed();
  }

  /** @param {boolean} [isLast] */
  async #write(isLast) {
    const state = { startedAt: this.#startedAt, isStopping: this.#phase === "finishing" };
    await this.#journal?.write({ ...state, writtenAt: this.#world.timeOfDay() }, isLast);
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
    if (this.#uplink.isRefused) return "refused";
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
    if (listening) void this.#microphone?.close();
    void this.#journal?.forget();
  }

  #changed() {
    this.onChange();
  }
}
