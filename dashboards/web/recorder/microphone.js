/** The microphone as a stream of 16 kHz frames, or a `MicrophoneError` that says why there is none. */

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

async function requestStream() {
  if (!globalThis.isSecureContext) throw new MicrophoneError("insecure");
  if (!navigator.mediaDevices || !globalThis.AudioWorkletNode) throw new MicrophoneError("unsupported");
  try {
    // The browser's clean-up is made for calls; it eats quiet speech and changes loudness, which is a result here.
    return await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
  } catch (error) {
    throw new MicrophoneError(OBSTACLES[/** @type {Error} */ (error).name] ?? "absent", error);
  }
}

/** @param {MediaStream} stream */
function makeContext(stream) {
  const { sampleRate } = stream.getAudioTracks()[0].getSettings();
  try {
    return new AudioContext({ sampleRate, latencyHint: "interactive" });
  } catch {
    return new AudioContext({ latencyHint: "interactive" });
  }
}

export class Microphone {
  #stream;
  #context;
  #node;
  /** @type {(() => void) | null} */
  #flushed = null;
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
    stream.getAudioTracks()[0].addEventListener("ended", () => this.onLost());
    context.addEventListener("statechange", () => this.#followContext());
  }

  /** Whether the system has stopped the sound. Nothing is heard until it lets it run again. */
  get isInterrupted() {
    return this.#context.state !== "running" && this.#context.state !== "closed";
  }

  /** Asks for the microphone and gets it ready; nothing is heard before `listen`. Throws `MicrophoneError`. */
  static async open() {
    const stream = await requestStream();
    const context = makeContext(stream);
    await context.audioWorklet.addModule(new URL("./capture-worklet.js", import.meta.url));
    const node = new AudioWorkletNode(context, "undertone-capture", { numberOfOutputs: 1 });
    context.createMediaStreamSource(stream).connect(node);
    node.connect(context.destination); // silent; a node that leads nowhere may not be run
    await context.resume();
    return new Microphone(stream, context, node);
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

  async close() {
    for (const track of this.#stream.getTracks()) track.stop();
    await this.#context.close();
  }
}

function makePromise() {
  let resolve = () => {};
  const promise = new Promise((/** @type {(value?: unknown) => void} */ settle) => (resolve = settle));
  return { promise, resolve };
}
