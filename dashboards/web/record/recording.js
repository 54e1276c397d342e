/**
 * Begins a recording, or takes one up that another page has left unfinished: the session, what is kept of it on this
 * machine, the claim to it, and the recorder, put together.
 */

import { audioUrl } from "../shared/api.js";
import { claim } from "../recorder/claim.js";
import { Journal } from "../recorder/journal.js";
import { Outbox } from "../recorder/outbox.js";
import { Recorder } from "../recorder/recorder.js";
import { TARGET_RATE } from "../recorder/resampler.js";

/** @typedef {import("../recorder/microphone.js").Microphone} Microphone */
/** @typedef {import("../recorder/shelf.js").Shelf} Shelf */
/** @typedef {import("../recorder/shelf.js").Recording} Recording */
/** @typedef {import("../recorder/shelf.js").Unfinished} Unfinished */

const KEPT_SAMPLES = 10 * 60 * TARGET_RATE;
const SAMPLES_PER_MS = TARGET_RATE / 1000;
/** So much may have been sent behind what was written down last. What is recorded now must not lie upon it. */
const UNWRITTEN_MS = 2000;

/**
 * Starts to record a new session.
 * @param {Shelf | null} shelf
 * @param {Recording} recording
 * @param {Microphone} microphone
 */
export async function begin(shelf, recording, microphone) {
  await claim(recording.sessionId);
  const outbox = new Outbox(KEPT_SAMPLES);
  const journal = shelf && new Journal(shelf, recording, outbox);
  return new Recorder({ ...audio(recording), startedAt: Date.now(), outbox, journal }, microphone);
}

/**
 * Goes on with what another page has left, in the same session; the time between is a gap, as after a pause. Without a
 * microphone it is finished: what is kept is sent, and that is its end.
 * @param {Shelf} shelf
 * @param {string} sessionId
 * @param {Microphone | null} microphone
 * @returns {Promise<Recorder | null>} Null if it is no longer here, or another page is at it.
 */
export async function takeUp(shelf, sessionId, microphone) {
  const giveBack = await claim(sessionId);
  const kept = giveBack && (await shelf.read(sessionId));
  if (!kept) {
    giveBack?.();
    return null;
  }
  const { unfinished, pieces } = kept;
  const outbox = Outbox.restore(KEPT_SAMPLES, unfinished, pieces);
  const journal = new Journal(shelf, unfinished, outbox);
  if (microphone) outbox.skip(absence(unfinished, Date.now()));
  return new Recorder({ ...audio(unfinished), startedAt: unfinished.startedAt, outbox, journal }, microphone);
}

/**
 * Those that no page is at.
 * @param {Shelf} shelf
 * @returns {Promise<Unfinished[]>}
 */
export async function listUnfinished(shelf) {
  const all = await shelf.list(Date.now());
  const isFree = async (/** @type {Unfinished} */ { sessionId }) => {
    const giveBack = await claim(sessionId);
    giveBack?.();
    return giveBack !== null;
  };
  const free = await Promise.all(all.map(isFree));
  return all.filter((_, n) => free[n]);
}

/** @param {Recording} recording */
function audio({ sessionId, writeToken, language }) {
  return { url: audioUrl(sessionId, writeToken), language };
}

/**
 * How many samples long the gap is between the last one that was recorded and a time of day.
 * @param {Unfinished} unfinished
 * @param {number} timeOfDay
 */
function absence({ startedAt, nextSample }, timeOfDay) {
  const missing = Math.floor((timeOfDay - startedAt) * SAMPLES_PER_MS) - nextSample;
  return Math.max(missing, UNWRITTEN_MS * SAMPLES_PER_MS);
}
