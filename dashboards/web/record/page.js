/** The page to speak into. It keeps one recording at a time, and offers to take up what another page has left. */

import { ApiError, createSession, eventsPath, readSession } from "../shared/api.js";
import { find, showShares, showTotals } from "../shared/elements.js";
import { EventStream } from "../shared/events.js";
import { paced, startFrame } from "../shared/frame.js";
import { onLanguage, say, text } from "../shared/i18n.js";
import { normalize } from "../shared/normal-form.js";
import { regain } from "../shared/regain.js";
import { Library, Story } from "../shared/story.js";
import { Transcript } from "../shared/transcript.js";
import { keepReserve } from "../recorder/context.js";
import { MicrophoneError } from "../recorder/microphone.js";
import { Shelf } from "../recorder/shelf.js";
import { awaitTurn } from "../recorder/turn.js";
import { Deck } from "./deck.js";
import { Links } from "./links.js";
import { Microphones } from "./microphones.js";
import { showOffers } from "./offer.js";
import { begin, listUnfinished, takeUp } from "./recording.js";
import { parseTags } from "./tags.js";

/** @typedef {import("../recorder/microphone.js").Microphone} Microphone */
/** @typedef {import("../recorder/recorder.js").Recorder} Recorder */
/** @typedef {import("../recorder/shelf.js").Recording} Recording */
/** @typedef {import("../recorder/shelf.js").Unfinished} Unfinished */

/** What the server takes. */
const LONGEST_TITLE = 200;
/** @type {HTMLInputElement} */
const title = find("title");
/** @type {HTMLInputElement} */
const tags = find("tags");
/** @type {HTMLSelectElement} */
const spoken = find("spoken");
const transcript = new Transcript(find("transcript"), find("scroll"));
const library = new Library(Story);
/** @type {Recorder | null} */
let recorder = null;
/** @type {EventStream | null} */
let stream = null;
/** Whether another microphone was chosen than the one that was heard last. */
let hasNewChoice = false;
let isOpening = false;

const paint = paced(() => {
  const report = recorder?.report() ?? null;
  const isOver = report?.phase === "finished" || report?.phase === "failed";
  if (report) deck.show(report);
  if (isOver) links.showEnd();
  const [story] = library.stories.values();
  showTotals(find("totals"), story?.total ?? null);
  showShares(find("shares"), story?.total ?? null);
  if (story) transcript.show(story, true);
  find("captions-none").hidden = !transcript.isEmpty;
  say(find("captions-none"), isOver ? "record.captions.silent" : "record.captions.none");
});

/** What went wrong, by the message that says so. */
class Trouble extends Error {}

/** @param {unknown} error */
function complainOf(error) {
  if (error instanceof MicrophoneError) deck.complain(`microphone.${error.obstacle}`);
  else if (error instanceof Trouble) deck.complain(error.message);
  else deck.complain("record.failed", { reason: String(/** @type {Error} */ (error).message) });
}

/**
 * Does what is to end in a recording; if it does not, the page is as before and says why.
 * @param {() => Promise<void>} attempt
 */
async function attempt(attempt) {
  deck.prepare();
  find("unfinished").hidden = true;
  try {
    await attempt();
  } catch (error) {
    deck.rest();
    complainOf(error);
    await offer();
    if (document.activeElement === document.body) deck.start.focus();
  }
}

/** @param {(microphone: Microphone) => Promise<void>} use If it fails the microphone is given back. */
async function withMicrophone(use) {
  deck.tell("status.asking");
  const microphone = await microphones.open();
  try {
    await use(microphone);
  } catch (error) {
    await microphone.close();
    throw error;
  }
}

/**
 * Records a new session.
 * @param {Microphone} microphone
 */
async function record(microphone) {
  deck.tell("status.creating");
  const wishes = { title: normalize(title.value, LONGEST_TITLE) || null, tags: parseTags(tags.value), language: spoken.value || null };
  const session = await awaitTurn(() => askForSession(wishes), (left) => deck.tell("status.busy", { seconds: left }));
  const { session_id: sessionId, write_token: writeToken, read_token: readToken } = session;
  const recording = { sessionId, writeToken, readToken, ...wishes };
  follow(recording, await begin(shelf, recording, microphone));
}

/**
 * A new session. A login that has ended is asked for over the page; a recording under way needs none.
 * @param {Parameters<typeof createSession>[0]} wishes
 */
async function askForSession(wishes) {
  try {
    return await createSession(wishes);
  } catch (error) {
    if (!isRefused(error)) throw error;
    await regain("record");
    return createSession(wishes);
  }
}

/**
 * Goes on with an unfinished recording, or without a microphone finishes it.
 * @param {Unfinished} unfinished
 * @param {Microphone | null} microphone
 */
async function resume(unfinished, microphone) {
  const taken = shelf && (await takeUp(shelf, unfinished.sessionId, microphone));
  if (!taken) throw new Trouble("record.unfinished.gone");
  title.value = unfinished.title ?? "";
  tags.value = unfinished.tags.join(", ");
  spoken.value = unfinished.language ?? "";
  follow(unfinished, taken);
}

async function offer() {
  const unfinished = shelf ? await listUnfinished(shelf) : [];
  if (recorder) return;
  find("unfinished").hidden = unfinished.length === 0;
  showOffers(find("offers"), unfinished, (each, goesOn) => {
    const take = (/** @type {Microphone | null} */ microphone) => resume(each, microphone);
    void attempt(() => (goesOn ? withMicrophone(take) : take(null)));
  });
}

/**
 * @param {Recording} recording
 * @param {Recorder} its
 */
function follow(recording, its) {
  const { sessionId: id, readToken: token } = recording;
  recorder = its;
  recorder.onLevel = (frame) => deck.level.show(frame);
  recorder.onChange = paint;
  recorder.onLost = () => deck.complain("microphone.lost");
  stream = new EventStream(eventsPath(id, token), {
    onEvent: (event) => {
      library.apply(event);
      paint();
    },
    onConnection: () => {},
    mayRetry: () => isServed(id, token),
    mayRest: () => ["finished", "failed"].includes(its.report().phase),
  });
  links.show(recording);
  paint();
  hasNewChoice = false;
  deck.stop.hidden = false;
  deck.stop.focus();
}

async function pauseOrGoOn() {
  const report = recorder?.report();
  if (!recorder || !report || isOpening) return;
  if (report.phase !== "paused") return recorder.pause();
  if (!report.isDeaf && !hasNewChoice) return recorder.goOn();
  isOpening = true;
  try {
    await recorder.goOn(await microphones.open());
    hasNewChoice = false;
    deck.forgive();
  } catch (error) {
    complainOf(error);
  } finally {
    isOpening = false;
  }
}

/**
 * Whether a refused stream is worth another try: not when the server knows for sure.
 * @param {string} id
 * @param {string} token
 */
async function isServed(id, token) {
  const error = await readSession(id, token).catch((caught) => caught);
  return !isRefused(error);
}

/** @param {unknown} error */
function isRefused(error) {
  return error instanceof ApiError && [401, 403].includes(error.status);
}

const reserved = keepReserve();
await startFrame("record");
const shelf = await Shelf.open().catch(() => null);
const deck = new Deck();
const links = new Links();
const microphones = new Microphones(find("microphone"), {
  onTrouble: complainOf,
  onChoice: () => (hasNewChoice = true),
});
onLanguage(paint);
showTotals(find("totals"), null);
showShares(find("shares"), null);
deck.start.addEventListener("click", () => void attempt(() => withMicrophone(record)));
deck.stop.addEventListener("click", () => void recorder?.stop());
deck.pause.addEventListener("click", () => void pauseOrGoOn());
find("again").addEventListener("click", () => location.reload());
find("wishes").addEventListener("submit", (event) => event.preventDefault());
addEventListener("beforeunload", (event) => {
  if (!recorder?.report().isUnsent) return;
  event.preventDefault();
  event.returnValue = text("record.leave");
});
addEventListener("pagehide", () => {
  recorder?.save();
  stream?.close();
});
document.addEventListener("visibilitychange", () => recorder?.save()); // a phone may end a hidden page without a word
await reserved;
deck.rest();
await offer();
