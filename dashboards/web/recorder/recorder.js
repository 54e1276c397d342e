/** One recording: microphone, outbox and uplink put together, and its state as a few values for the page. */

import { Microphone } from "./microphone.js";
import { Outbox } from "./outbox.js";
import { TARGET_RATE } from "./resampler.js";
import { Uplink } from "./uplink.js";

/** @typedef {import("./microphone.js").Frame} Frame */
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

export class Recorder {
  #microphone;
  #outbox = new Outbox(KEPT_MINUTES * 60 * TARGET_RATE);
  #uplink;
  /** @type {Phase} */
  #phase = "recording";
  #pausedAt = 0;
  #declaredMs = 0;
  #timer;
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
   */
  constructor(microphone, url, language) {
    this.#microphone = microphone;
    this.#uplink = new Uplink(url, this.#outbox, { language, startedAt: new Date() });
    this.#uplink.onChange = () => this.#follow();
    microphone.onFrame = (frame) => this.#take(frame);
    microphone.onLost = () => {
      this.onLost();
      void this.pause();
    };
    microphone.listen();
    this.#timer = setInterval(() => this.#tick(), 1000);
    globalThis.addEventListener("online", this.#retryNow);
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

  async pause() {
    if (this.#phase !== "recording") return;
    this.#phase = "paused";
    await this.#microphone.flush();
    this.#pausedAt = performance.now();
    this.#declaredMs = 0;
    this.#changed();
  }

  goOn() {
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
    const wasRecording = this.#phase === "recording";
    this.#phase = "finishing";
    this.#changed();
    if (wasRecording) await this.#microphone.flush();
    this.#pausedAt = 0;
    this.#uplink.stop();
    await this.#microphone.close();
  }

  /** Whether closing the page now would lose something. */
  isUnsaved() {
    const over = this.#phase === "finished" || this.#phase === "failed";
    return !over && (this.#phase === "recording" || this.#outbox.keptSamples > 0);
  }

  #retryNow = () => this.#uplink.retryNow();

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
    return this.#pausedAt === 0 ? 0 : performance.now() - this.#pausedAt - this.#declaredMs;
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
    clearInterval(this.#timer);
    globalThis.removeEventListener("online", this.#retryNow);
    if (listening) void this.#microphone.close();
  }

  #changed() {
    this.onChange();
  }
}
