/**
 * Follows a stream of server-sent events for as long as the page is open, and rests while nobody sees it: over HTTP/1.1
 * a browser holds six connections to one origin, and the streams of hidden tabs would leave none to those in sight. Windows
 * in sight share what there is (`stream-slots.js`).
 *
 * The server ends every stream after some minutes, and that must not show: a stream that was alive is opened again at
 * once, behind the last id. EventSource alone would wait for seconds, give up for ever on an answer that is no stream,
 * and wait for ever on a connection that has died silently.
 */

import { isLimited, takeSlot } from "./stream-slots.js";

/** @typedef {import("./vocabulary.js").ViewerEvent} ViewerEvent */
/**
 * @typedef {object} Follower
 * @property {(event: ViewerEvent) => void} onEvent
 * @property {(connected: boolean) => void} onConnection
 * @property {() => Promise<boolean>} mayRetry Asked when the server refuses; false ends it.
 * @property {() => boolean} mayRest Asked while the page is hidden; true closes the stream until it is seen again.
 */

const NAMES = ["snapshot", "session", "partial", "utterance", "window"];
const SILENT_AFTER_MS = 40_000;
const RENEW_MS = 200;
const RETRY_MS = 3000;

export class EventStream {
  #path;
  #follower;
  /** @type {EventSource | null} */
  #source = null;
  #lastId = "";
  #heardAt = 0;
  #wasAlive = false;
  #watch;
  /** @type {AbortController | null} Ends the wait for a slot. */
  #waiting = null;
  #giveBack = () => {};

  /**
   * @param {string} path
   * @param {Follower} follower
   */
  constructor(path, follower) {
    this.#path = path;
    this.#follower = follower;
    this.#watch = setInterval(() => this.#check(), 5000);
    document.addEventListener("visibilitychange", this.#followPage);
    this.#followPage();
  }

  close() {
    clearInterval(this.#watch);
    document.removeEventListener("visibilitychange", this.#followPage);
    this.#rest();
  }

  /** Begins anew, with a fresh snapshot. */
  renew() {
    this.#lastId = "";
    this.#rest();
    this.#followPage();
  }

  #followPage = () => {
    if (document.hidden && this.#follower.mayRest()) this.#rest();
    else if (!this.#source && !this.#waiting) this.#begin();
  };

  #rest() {
    this.#source?.close();
    this.#source = null;
    this.#waiting?.abort();
    this.#waiting = null;
    this.#giveBack();
  }

  #begin() {
    if (!isLimited()) return this.#open();
    this.#waiting = new AbortController();
    takeSlot(this.#waiting.signal, (giveBack) => {
      this.#waiting = null;
      this.#giveBack = giveBack;
      this.#open();
    });
  }

  #open() {
    const url = new URL(this.#path, location.href);
    if (this.#lastId) url.searchParams.set("last_event_id", this.#lastId);
    const source = new EventSource(url);
    this.#source = source;
    this.#heardAt = performance.now();
    this.#wasAlive = false;
    source.onopen = () => this.#hear();
    source.onerror = () => void this.#lose(source);
    for (const name of NAMES) source.addEventListener(name, (event) => this.#take(event));
    source.addEventListener("reset", (event) => this.#remember(event)); // with an empty id: begin anew
    source.addEventListener("heartbeat", (event) => this.#remember(event));
  }

  /** @param {MessageEvent<string>} event */
  #take(event) {
    this.#remember(event);
    this.#follower.onEvent(JSON.parse(event.data));
  }

  /** @param {MessageEvent<string>} event */
  #remember(event) {
    if (event.lastEventId || event.type === "reset") this.#lastId = event.lastEventId;
    this.#hear();
  }

  #hear() {
    this.#heardAt = performance.now();
    this.#wasAlive = true;
    this.#follower.onConnection(true);
  }

  /** @param {EventSource} source */
  async #lose(source) {
    if (source !== this.#source) return;
    const wasRefused = source.readyState === EventSource.CLOSED;
    const waitMs = this.#wasAlive ? RENEW_MS : RETRY_MS;
    source.close();
    if (!this.#wasAlive) this.#follower.onConnection(false);
    if (wasRefused && !(await this.#follower.mayRetry()) && source === this.#source) return this.close();
    setTimeout(() => {
      if (source === this.#source) this.#open();
    }, waitMs * (0.5 + Math.random()));
  }

  #check() {
    this.#followPage(); // what forbade it to rest may be over
    if (!this.#source || performance.now() - this.#heardAt < SILENT_AFTER_MS) return;
    this.#source.close();
    this.#follower.onConnection(false);
    this.#open();
  }
}
