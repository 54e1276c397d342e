/**
 * What a microphone is heard in: an audio context that has loaded our worklet. Every context asks the server for it, so
 * one is kept in reserve from the beginning of the page on, for a microphone that is opened while the network is away.
 */

const WORKLET = new URL("./capture-worklet.js", import.meta.url);
const PATIENCE_MS = 3000;

/** @type {AudioContext | null} */
let reserve = null;

/** To be called while the network is there, and awaited, which is soon over: what cannot be had is not waited for. */
export async function keepReserve() {
  const loaded = load(null).then((context) => (reserve = context));
  await Promise.race([loaded, impatience()]).catch(() => {});
}

/**
 * A context for a stream: at the stream's own rate, or the reserve if that does not come in time.
 * @param {MediaStream} stream
 */
export async function openContext(stream) {
  const own = load(stream.getAudioTracks()[0].getSettings().sampleRate ?? null);
  try {
    return await Promise.race([own, impatience()]);
  } catch (error) {
    if (!reserve) return own;
    void own.then(closeContext, () => {}); // too late
    return reserve;
  }
}

/** @param {AudioContext} context It may be heard in by another microphone, if it is the reserve. */
export async function closeContext(context) {
  if (context !== reserve && context.state !== "closed") await context.close();
}

/** @param {number | null} sampleRate */
async function load(sampleRate) {
  const context = make(sampleRate);
  try {
    await context.audioWorklet.addModule(WORKLET);
    return context;
  } catch (error) {
    await context.close();
    throw error;
  }
}

/** @param {number | null} sampleRate */
function make(sampleRate) {
  const wishes = /** @type {const} */ ({ latencyHint: "interactive" });
  if (sampleRate === null) return new AudioContext(wishes);
  try {
    return new AudioContext({ ...wishes, sampleRate });
  } catch {
    return new AudioContext(wishes);
  }
}

/** @returns {Promise<never>} */
function impatience() {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("the worklet does not come")), PATIENCE_MS));
}
