/** The page to speak into. It keeps one recording at a time. */

import { ApiError, audioUrl, createSession, eventsPath, readSession, sessionPage } from "../shared/api.js";
import { find, showShares, showTotals } from "../shared/elements.js";
import { EventStream } from "../shared/events.js";
import { clock } from "../shared/format.js";
import { paced, startFrame } from "../shared/frame.js";
import { onLanguage, say, sayLabel, text } from "../shared/i18n.js";
import { Library, Story } from "../shared/story.js";
import { Transcript } from "../shared/transcript.js";
import { Microphone, MicrophoneError } from "../recorder/microphone.js";
import { Recorder } from "../recorder/recorder.js";
import { awaitTurn } from "../recorder/turn.js";
import { LevelMeter } from "./level-meter.js";
import { describe } from "./status.js";

/** @typedef {import("../shared/vocabulary.js").NewSession} NewSession */

const start = find("start");
const stop = find("stop");
const pause = find("pause");
/** @type {HTMLInputElement} */
const title = find("title");
/** @type {HTMLSelectElement} */
const spoken = find("spoken");
/** @type {HTMLInputElement} */
const watch = find("watch");
const level = new LevelMeter(find("level"), find("level-fill"), find("level-hint"));
const transcript = new Transcript(find("transcript"), find("scroll"));
const library = new Library(Story);
/** @type {Recorder | null} */
let recorder = null;
/** @type {EventStream | null} */
let stream = null;

const paint = paced(() => {
  if (recorder) showReport(recorder);
  const [story] = library.stories.values();
  showTotals(find("totals"), story?.total ?? null);
  showShares(find("shares"), story?.total ?? null);
  if (story) transcript.show(story, true);
  find("captions-none").hidden = !transcript.isEmpty;
  const isOver = recorder?.report().phase === "finished";
  say(find("captions-none"), isOver ? "record.captions.silent" : "record.captions.none");
});

/** @param {Recorder} recording */
function showReport(recording) {
  const report = recording.report();
  const { key, values, trouble } = describe(report);
  const isOver = report.phase === "finished" || report.phase === "failed";
  const isOn = report.phase === "recording" || report.phase === "paused";
  say(find("status"), key, values);
  announce(key, values);
  find("time").textContent = clock(report.lengthMs);
  find("deck").dataset.phase = trouble ? "trouble" : report.phase === "recording" ? "live" : report.phase;
  start.hidden = true;
  stop.hidden = isOver;
  stop.toggleAttribute("disabled", !isOn);
  pause.hidden = !isOn;
  sayLabel(pause, report.phase === "paused" ? "record.goon" : "record.pause");
  find("pause-icon").setAttribute("href", `/icons.svg#${report.phase === "paused" ? "play" : "pause"}`);
  find("level").hidden = isOver;
  if (report.phase !== "recording") level.rest();
  find("after").hidden = !isOver;
  find("watchers").hidden = isOver;
  if (report.lostMs > 0) complain("status.lost", { seconds: Math.round(report.lostMs / 1000) });
}

/**
 * Tells a screen reader of a new state once, and not of every tenth of a second in it.
 * @param {string} key
 * @param {import("../shared/i18n.js").Values} values
 */
function announce(key, values) {
  if (find("announced").dataset.say !== key) say(find("announced"), key, values);
}

/**
 * @param {string} key
 * @param {import("../shared/i18n.js").Values} [values]
 */
function complain(key, values) {
  find("trouble").hidden = false;
  say(find("trouble"), key, values);
}

async function record() {
  find("trouble").hidden = true;
  setWishes(false);
  /** @type {Microphone | null} */
  let microphone = null;
  try {
    say(find("status"), "status.asking");
    microphone = await Microphone.open();
    say(find("status"), "status.creating");
    const language = spoken.value || null;
    const ask = () => createSession({ title: title.value.trim() || null, language });
    const session = await awaitTurn(ask, (left) => say(find("status"), "status.busy", { seconds: left }));
    begin(microphone, session, language);
  } catch (error) {
    await microphone?.close();
    setWishes(true);
    say(find("status"), "status.ready");
    if (error instanceof MicrophoneError) complain(`microphone.${error.obstacle}`);
    else complain("record.failed", { reason: String(/** @type {Error} */ (error).message) });
  }
}

/**
 * @param {Microphone} microphone
 * @param {NewSession} session
 * @param {string | null} language
 */
function begin(microphone, session, language) {
  const { session_id: id, read_token: token } = session;
  recorder = new Recorder(microphone, audioUrl(id, session.write_token), language);
  recorder.onLevel = (frame) => level.show(frame);
  recorder.onChange = paint;
  recorder.onLost = () => complain("microphone.lost");
  stream = new EventStream(eventsPath(id, token), {
    onEvent: (event) => {
      library.apply(event);
      paint();
    },
    onConnection: () => {},
    mayRetry: () => isServed(id, token),
    mayRest: () => ["finished", "failed"].includes(recorder?.report().phase ?? ""),
  });
  watch.value = sessionPage(id, token);
  find("open").setAttribute("href", sessionPage(id, token));
  find("links").hidden = false;
  paint();
  stop.focus();
}

/**
 * Whether a refused stream is worth another try: not when the server knows for sure.
 * @param {string} id
 * @param {string} token
 */
async function isServed(id, token) {
  const error = await readSession(id, token).catch((caught) => caught);
  return !(error instanceof ApiError && [401, 403].includes(error.status));
}

/** @param {boolean} enabled */
function setWishes(enabled) {
  for (const id of ["title", "spoken", "start"]) find(id).toggleAttribute("disabled", !enabled);
}

async function copyLink() {
  await navigator.clipboard.writeText(watch.value);
  say(find("copy-words"), "record.copied");
  setTimeout(() => say(find("copy-words"), "record.copy"), 2000);
}

await startFrame("record");
onLanguage(paint);
showTotals(find("totals"), null);
showShares(find("shares"), null);
start.addEventListener("click", () => void record());
stop.addEventListener("click", () => void recorder?.stop());
pause.addEventListener("click", () => {
  if (recorder?.report().phase === "paused") void recorder.goOn();
  else recorder?.pause();
});
find("copy").addEventListener("click", () => void copyLink());
find("again").addEventListener("click", () => location.reload());
find("wishes").addEventListener("submit", (event) => event.preventDefault());
addEventListener("beforeunload", (event) => {
  if (!recorder?.isUnsaved()) return;
  event.preventDefault();
  event.returnValue = text("record.leave");
});
addEventListener("pagehide", () => stream?.close());
