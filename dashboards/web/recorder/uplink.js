/**
 * Carries an outbox to the server over the audio WebSocket, and again over a new one after every drop.
 *
 * The outbox alone knows where to go on: `start` says its first unacknowledged sample, and an acknowledgement counts
 * only on the socket that is current. Nothing is forgotten before the server says that it is durable.
 */

import { TARGET_RATE } from "./resampler.js";

/** @typedef {import("./outbox.js").Outbox} Outbox */
/** @typedef {"connecting" | "open" | "waiting" | "finished" | "failed"} UplinkState */
/** @typedef {{code: string, message: string, retryable?: boolean, retry_after_ms?: number | null}} Complaint */
/** @typedef {{samples: number, utterances: number}} Finished */
/**
 * What the uplink needs of the world, given so that tests can play it.
 * @typedef {object} World
 * @property {(url: string) => WebSocket} openSocket
 * @property {() => number} now Milliseconds that only go up.
 * @property {() => number} random In [0, 1).
 * @property {(call: () => void, afterMs: number) => unknown} later
 */

const LONGEST_FRAME_SAMPLES = TARGET_RATE;
const MOST_BUFFERED_BYTES = 256 * 1024;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const SILENT_AFTER_MS = 15_000;
/** A gap beyond what the server's clock allows waits so long for its word: the machine may have slept. */
const BELIEVED_AFTER_MS = 3000;
/** Codes that say who asks may not, and nothing of the session: clocks, secrets and keys may be put right meanwhile. */
const NOT_ADMITTED = new Set([
  ...["token_missing", "token_invalid", "token_expired", "token_early", "token_foreign"],
  ...["login_needed", "login_ended", "key_unknown", "right_missing"],
]);

/** @type {World} */
export const BROWSER = {
  openSocket: (url) => new WebSocket(url),
  now: () => performance.now(),
  random: Math.random,
  later: (call, afterMs) => setTimeout(call, afterMs),
};

export class Uplink {
  #url;
  #outbox;
  #greeting;
  #world;
  /** @type {WebSocket | null} */
  #socket = null;
  #sent = 0;
  #attempts = 0;
  #retryAt = 0;
  #heardAt = 0;
  /** The latest sample that a gap may reach, as the server last said. */
  #latestSample = Infinity;
  #heldSince = Infinity;
  #stopping = false;
  #stopSent = false;
  /** @type {UplinkState} */
  state = "connecting";
  /** @type {Complaint | null} The last thing the server complained of, until a connection is good again. */
  complaint = null;
  /** @type {number | null} How far the words lag behind the speech, as the server last said. */
  behindMs = null;
  /** @type {Finished | null} */
  finished = null;
  onChange = () => {};
  /** Called when a gap had to be made shorter, since it reached into the future: some clock is wrong. */
  onShortened = (/** @type {number} */ _samples) => {};

  /**
   * @param {string} url
   * @param {Outbox} outbox
   * @param {{language: string | null, startedAt: Date}} session
   * @param {World} world
   */
  constructor(url, outbox, { language, startedAt }, world = BROWSER) {
    this.#url = url;
    this.#outbox = outbox;
    this.#greeting = { language, started_at: startedAt.toISOString() };
    this.#world = world;
  }

  /** Milliseconds until the next attempt; 0 while there is a connection. */
  get retryInMs() {
    return this.state === "waiting" ? Math.max(0, this.#retryAt - this.#world.now()) : 0;
  }

  connect() {
    if (this.#isOver()) return;
    const socket = this.#world.openSocket(this.#url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#stopSent = false;
    this.#heardAt = this.#world.now();
    socket.onopen = () => this.#ifCurrent(socket, () => this.#start(socket));
    socket.onmessage = ({ data }) => this.#ifCurrent(socket, () => this.#hear(JSON.parse(data)));
    socket.onclose = () => this.#ifCurrent(socket, () => this.#retry());
    this.#enter("connecting");
  }

  /** Sends what is new in the outbox, as far as the connection takes it. */
  pump() {
    const socket = this.#socket;
    if (!socket || this.state !== "open") return;
    while (socket.bufferedAmount < MOST_BUFFERED_BYTES) {
      const piece = this.#outbox.read(this.#sent, LONGEST_FRAME_SAMPLES);
      if (!piece) break;
      if (!piece.pcm && piece.end > this.#latestSample) {
        this.#heldSince = Math.min(this.#heldSince, this.#world.now());
        if (this.#world.now() - this.#heldSince < BELIEVED_AFTER_MS) return;
        this.onShortened(this.#outbox.shorten(piece, this.#latestSample));
        continue;
      }
      this.#heldSince = Infinity;
      if (piece.pcm) socket.send(makeFrame(piece.first, piece.pcm));
      else socket.send(JSON.stringify({ type: "gap", next_sample: piece.end }));
      this.#sent = piece.end;
    }
    if (this.#stopping && !this.#stopSent && this.#sent === this.#outbox.nextSample) {
      socket.send(JSON.stringify({ type: "stop" }));
      this.#stopSent = true;
    }
  }

  /** Ends the session once everything kept has been sent; `finished` says when the server is done too. */
  stop() {
    this.#stopping = true;
    this.pump();
  }

  /**
   * To be called about every second: leaves a connection that has died, since a living server says something every
   * second, and tries again when it is time to, also where timers are slowed down.
   */
  watch() {
    if (this.#socket && this.#world.now() - this.#heardAt > SILENT_AFTER_MS) this.#retry();
    else if (this.state === "waiting" && this.retryInMs === 0) this.connect();
  }

  /**
   * The browser says that the network is back, which is worth a try at once, or that it has gone: then the connection is
   * dead, and might not say so for long.
   * @param {boolean} isOnline
   */
  heed(isOnline) {
    if (isOnline && this.state === "waiting") this.connect();
    if (!isOnline && this.#socket) this.#retry();
  }

  /** @param {WebSocket} socket */
  #start(socket) {
    const position = { next_sample: this.#outbox.acknowledged };
    const format = { sample_rate: TARGET_RATE, encoding: "pcm_s16le" };
    socket.send(JSON.stringify({ type: "start", ...format, ...this.#greeting, ...position }));
    this.#sent = this.#outbox.acknowledged;
  }

  /** @param {Record<string, any>} message */
  #hear(message) {
    this.#heardAt = this.#world.now();
    this.#latestSample = message.latest_sample ?? this.#latestSample;
    if (message.type === "ready") {
      this.#attempts = 0;
      this.complaint = null;
      this.#enter("open");
    } else if (message.type === "ack") {
      this.#outbox.acknowledge(message.next_sample);
    } else if (message.type === "status") {
      this.behindMs = message.behind_ms;
    } else if (message.type === "error") {
      this.#complain(/** @type {any} */ (message));
    } else if (message.type === "finished") {
      this.finished = { samples: message.samples, utterances: message.utterances };
      this.#leave();
      this.#enter("finished");
    }
    this.pump();
    this.onChange();
  }

  /** @param {Complaint} complaint */
  #complain(complaint) {
    this.complaint = complaint;
    if (complaint.retryable || NOT_ADMITTED.has(complaint.code)) {
      this.#retry(complaint.retry_after_ms ?? undefined);
    } else {
      this.#leave();
      this.#enter("failed");
    }
  }

  /** @param {number} [afterMs] */
  #retry(afterMs) {
    this.#leave();
    const mostMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#attempts);
    const waitMs = afterMs ?? mostMs * (0.5 + this.#world.random() / 2);
    this.#attempts += 1;
    this.#retryAt = this.#world.now() + waitMs;
    this.#enter("waiting");
    const due = this.#retryAt;
    this.#world.later(() => {
      if (this.state === "waiting" && this.#retryAt === due) this.connect();
    }, waitMs);
  }

  #leave() {
    const socket = this.#socket;
    this.#socket = null;
    this.behindMs = null;
    socket?.close();
  }

  /**
   * @param {WebSocket} socket
   * @param {() => void} call
   */
  #ifCurrent(socket, call) {
    if (socket === this.#socket) call();
  }

  /** Whether the server does not accept the token: it is asked again, and nothing is given up. */
  get isRefused() {
    return this.complaint !== null && NOT_ADMITTED.has(this.complaint.code);
  }

  #isOver() {
    return this.state === "finished" || this.state === "failed";
  }

  /** @param {UplinkState} state */
  #enter(state) {
    this.state = state;
    this.onChange();
  }
}

/**
 * A binary frame: the number of its first sample as 8 bytes, little-endian, then the samples.
 * @param {number} first
 * @param {Int16Array} pcm
 */
export function makeFrame(first, pcm) {
  const frame = new ArrayBuffer(8 + pcm.length * 2);
  const view = new DataView(frame);
  view.setBigUint64(0, BigInt(first), true);
  pcm.forEach((value, n) => view.setInt16(8 + n * 2, value, true));
  return frame;
}
