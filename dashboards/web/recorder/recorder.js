/** One recording: microphone, outbox and uplink put together, and its state as a few values for the page. */

import { Microphone } from "./microphone.js";
import { Outbox } from "./outbox.js";
import { TARGET_RATE } from "./resampler.js";
import { BROWSER as UPLINK_BROWSER, Uplink } from "./uplink.js";

/** @typedef {import("./microphone.js").Frame} Frame */
/**
 * What a recording needs of the world besides what its uplink does. Both calls return the way to end them.
 * @typedef {object} Rhythm
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
 * @property {string | null} complaint What the server said was wrong, in its words.
 */

const KEPT_MINUTES = 10;
const CATCHING_UP_MS = 3000;
/** So long a pause is declared at once, so that the words before it become final; the rest when it ends. */
const DECLARED_PAUSE_MS = 1000;

/** @type {World} */
const BROWSER = {
  ...UPLINK_BROWSER,
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
  #pausedAt = 0;
  #declaredMs = 0;
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
    this.#uplink = new Uplink(url, this.#outbox, { language, startedAt: new Date() }, world);
    this.#uplink.onChange = () => this.#follow();
    microphone.onFrame = (frame) => this.#take(frame);
    microphone.onLost = () => {
      this.onLost();
      this.pause();
    };
    microphone.listen();
    this.#quit = [world.everySecond(() => this.#tick()), world.whenOnline(() => this.#uplink.retryNow())];
    this.#uplink.connect();
  }

  /** @returns {Report} */
  report() {
    const unacknowledgedMs = (this.#outbox.nextSample - this.#outbox.acknowledged) / (TARGET_RATE / 1000);
    const keptMs = this.#outbox.keptSamples / (TARGET_RATE / 1000);
    return {
      phase: this.#phase,
      connection: this.#connection(keptMs),
      lengthMs: this.#outbox.nextSample / (TARGET_RATE / 1000) + this.#undeclaredPauseMs(),
      keptMs,
      behindMs: Math.max(this.#uplink.behindMs ?? 0, unacknowledgedMs),
      retryInMs: this.#uplink.retryInMs,
      lostMs: this.#outbox.lostSamples / (TARGET_RATE / 1000),
      complaint: this.#uplink.complaint?.message ?? null,
    };
  }

  pause() {
    if (this.#phase !== "recording") return;
    this.#phase = "paused";
    this.#flushed = this.#microphone.flush().then(() => {
      this.#pausedAt = this.#world.now();
      this.#declaredMs = 0;
    });
    this.#changed();
  }

  async goOn() {
    await this.#flushed;
    if (this.#phase !== "paused") return;
    this.#declarePause(this.#undeclaredPauseMs());
    this.#pausedAt = 0;
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
    this.#pausedAt = 0;
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
    this.#outbox.push(frame.pcm);
    this.#uplink.pump();
    this.onLevel(frame);
  }

  #tick() {
    if (this.#phase === "paused" && this.#declaredMs === 0 && this.#undeclaredPauseMs() >= DECLARED_PAUSE_MS) {
      this.#declarePause(DECLARED_PAUSE_MS);
    }
    this.#uplink.watch();
    this.#changed();
  }

  #undeclaredPauseMs() {
    return this.#pausedAt === 0 ? 0 : this.#world.now() - this.#pausedAt - this.#declaredMs;
  }

  /** @param {number} pauseMs */
  #declarePause(pauseMs) {
    this.#declaredMs += pauseMs;
    this.#outbox.skip(Math.floor((pauseMs * TARGET_RATE) / 1000));
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
    this.#pausedAt = 0;
    this.#quit.forEach((quit) => quit());
    if (listening) void this.#microphone.close();
  }

  #changed() {
    this.onChange();
  }
}
