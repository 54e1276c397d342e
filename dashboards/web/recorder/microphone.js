/** The microphone as a stream of 16 kHz frames, or a `MicrophoneError` that says why there is none. */

import { closeContext, openContext } from "./context.js";

/** @typedef {{pcm: Int16Array, peak: number, rms: number, at: number}} Frame  `at`: the time of day at its end, in ms. */
/** @typedef {"insecure" | "denied" | "absent" | "busy" | "unsupported"} Obstacle */

export class MicrophoneError extends Error {
  /**
   * @param {Obstacle} obstacle
   * @param {unknown} [cause]
   */
  constructor(obstacle, cause) {
    super(`microphone: ${obstacle}`, { cause });
    this.obstacle = obstacle;
  }
}

/** @type {Record<string, Obstacle>} */
const OBSTACLES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "absent",
  OverconstrainedError: "absent",
  NotReadableError: "busy",
  AbortError: "busy",
};

/** Names that browsers have for a device that is in the list under its own name as well. */
const ALIASES = ["default", "communications"];

/** Where the browser, or node, has none there is none. */
function devices() {
  return globalThis.navigator?.mediaDevices;
}

/** @param {string | null} deviceId */
async function requestStream(deviceId) {
  if (!globalThis.isSecureContext) throw new MicrophoneError("insecure");
  if (!devices() || !globalThis.AudioWorkletNode) throw new MicrophoneError("unsupported");
  // The browser's clean-up is made for calls; it eats quiet speech and changes loudness, which is a result here.
  const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const device = deviceId === null ? {} : { deviceId }; // another one rather than none, when it is gone
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { ...raw, ...device } });
  } catch (error) {
    throw new MicrophoneError(OBSTACLES[/** @type {Error} */ (error).name] ?? "absent", error);
  }
}

/**
 * The microphones by name; none before the browser has given one out to this page.
 * @returns {Promise<{deviceId: string, label: string}[]>}
 */
export async function listMicrophones() {
  const known = (await devices()?.enumerateDevices()) ?? [];
  return known.filter(({ kind, label, deviceId }) => kind === "audioinput" && label && !ALIASES.includes(deviceId));
}

/** Asks to be given a microphone, for their names alone. Throws `MicrophoneError`. */
export async function askForMicrophones() {
  for (const track of (await requestStream(null)).getTracks()) track.stop();
}

export class Microphone {
  #stream;
  #context;
  #node;
  /** @type {(() => void) | null} */
  #flushed = null;
  /** Whether the device has gone away; nothing more comes from it. */
  isLost = false;
  /** @type {(frame: Frame) => void} */
  onFrame = () => {};
  /** Called once when the device goes away by itself. */
  onLost = () => {};
  /** Called when the system stops the sound for a while, such as for a phone call, and when it is back. */
  onInterruption = () => {};

  /**
   * @param {MediaStream} stream
   * @param {AudioContext} context
   * @param {AudioWorkletNode} node
   */
  constructor(stream, context, node) {
    this.#stream = stream;
    this.#context = context;
    this.#node = node;
    node.port.onmessage = ({ data }) => {
      if (data.flushed) this.#flushed?.();
      else this.onFrame(data);
    };
    stream.getAudioTracks()[0].addEventListener("ended", () => this.#lose());
    devices()?.addEventListener("devicechange", this.#lookForDevice);
    context.addEventListener("statechange", () => this.#followContext());
  }

  /** Whether the system has stopped the sound. Nothing is heard until it lets it run again. */
  get isInterrupted() {
    return this.#context.state !== "running" && this.#context.state !== "closed";
  }

  /** Which of the listed microphones it is; one that goes by another name is none of them. */
  get deviceId() {
    return this.#stream.getAudioTracks()[0].getSettings().deviceId ?? "";
  }

  /**
   * Asks for the microphone and gets it ready; nothing is heard before `listen`. Throws `MicrophoneError`.
   * @param {string | null} [deviceId] The one to have if it is there; null for the system's choice.
   */
  static async open(deviceId = null) {
    const stream = await requestStream(deviceId);
    try {
      const context = await openContext(stream);
      const node = new AudioWorkletNode(context, "undertone-capture", { numberOfOutputs: 1 });
      context.createMediaStreamSource(stream).connect(node);
      node.connect(context.destination); // silent; a node that leads nowhere may not be run
      await context.resume();
      return new Microphone(stream, context, node);
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      throw error;
    }
  }

  listen() {
    this.#node.port.postMessage("listen");
  }

  /** Asks for the sound again; some systems do not give it back by themselves. */
  wake() {
    // Refused while the interruption lasts: the next try may be heard.
    if (this.isInterrupted) this.#context.resume().catch(() => {});
  }

  /** Stops listening; resolves when the last frame has been handed over, which an interruption may prevent. */
  async flush() {
    const { promise, resolve } = makePromise();
    this.#flushed = resolve;
    this.#node.port.postMessage("flush");
    if (!this.isInterrupted) await promise;
    this.#flushed = null;
  }

  #followContext() {
    if (this.isInterrupted) this.#flushed?.();
    this.onInterruption();
  }

  /** Not every browser ends the track of a device that is pulled out. */
  #lookForDevice = async () => {
    const known = (await devices()?.enumerateDevices()) ?? [];
    const isThere = known.some(({ kind, deviceId }) => kind === "audioinput" && deviceId === this.deviceId);
    if (!isThere && this.deviceId) this.#lose();
  };

  #lose() {
    if (this.isLost) return;
    this.isLost = true;
    this.onLost();
  }

  async close() {
    devices()?.removeEventListener("devicechange", this.#lookForDevice);
    for (const track of this.#stream.getTracks()) track.stop();
    this.#node.disconnect();
    await closeContext(this.#context);
  }
}

function makePromise() {
  let resolve = () => {};
  const promise = new Promise((/** @type {(value?: unknown) => void} */ settle) => (resolve = settle));
  return { promise, resolve };
}
