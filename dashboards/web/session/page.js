/** One session, live or past: the same page, since a past session is a live one that has ended. */

import {
  ApiError,
  askForSound,
  eventsPath,
  readCourse,
  readKeptAudio,
  readSession,
  readUtterances,
  readWindows,
  soundPath,
} from "../shared/api.js";
import { find } from "../shared/elements.js";
import { EventStream } from "../shared/events.js";
import { paced, startFrame } from "../shared/frame.js";
import { onLanguage, say, sayTime } from "../shared/i18n.js";
import { DeletionDialog, deleteButton, exportLinks } from "../shared/keeping.js";
import { may } from "../shared/login.js";
import { regain } from "../shared/regain.js";
import { Story } from "../shared/story.js";
import { CourseFollower } from "./course.js";
import { Showings, showDelays } from "./delay.js";
import { showHead, showStatistics } from "./overview.js";
import { Reading } from "./reading.js";

const AWAY_MS = 10_000;
const MINUTE_MS = 60_000;

const parameters = new URLSearchParams(location.search);
const id = parameters.get("id") ?? "";
const token = parameters.get("token");
const notice = find("notice");
/** @type {HTMLDetailsElement} */
const delays = find("delays");
const showings = new Showings();
/** @type {Story | null} */
let story = null;
let isComplete = true;
let isConnected = true;
let asking = 0;
/** @type {{key: string, reason: string} | null} Why there is nothing to show. */
let gone = parameters.has("id") ? null : { key: "session.noid", reason: "" };
/** @type {string[]} Utterances that came and are not painted yet. */
let unpainted = [];

const paint = paced(() => {
  showState();
  if (!story || gone) return;
  reading.show(story, isComplete);
  showHead(story);
  const seq = story.total?.seq ?? story.session?.seq ?? 0;
  course.follow(seq);
  showStatistics(story, course.course);
  for (const utteranceId of unpainted.splice(0)) showings.note(utteranceId, Date.now());
  if (delays.open) showDelays(find("delay-words"), find("delay-line"), showings.delays(reading.utterances));
});

const course = new CourseFollower(() => readCourse(id, token), paint);
/** @type {import("./player.js").Source} */
const sound = {
  pathOf: (utteranceId) => soundPath(id, token, utteranceId),
  ask: async (utteranceId) => {
    const path = soundPath(id, token, utteranceId);
    return askForSound(path).catch(async (error) => {
      if (!hasLoginEnded(error)) throw error;
      await regain("read");
      return askForSound(path);
    });
  },
};
const reading = new Reading(id, (wanted) => readUtterances(id, token, wanted), sound, paint);

/** Says what is the matter, if anything is: over what is shown, or in its place. */
function showState() {
  const key = gone?.key ?? (story ? (isConnected ? (isComplete ? null : "stream.incomplete") : "stream.lost") : "stream.loading");
  notice.hidden = key === null;
  if (key) say(notice, key, { reason: gone?.reason ?? "" });
  const isTold = story !== null && gone === null;
  find("home").hidden = !gone;
  find("story").hidden = !isTold;
  find("untold").hidden = isTold;
}

/**
 * @param {string} key
 * @param {string} [reason]
 */
function leave(key, reason = "") {
  gone ??= { key, reason };
  story = null;
  reading.leave();
  find("story").replaceChildren(); // nothing that was said stays on the page
  stream?.close();
  document.title = "Undertone";
  paint();
}

/** @param {import("../shared/vocabulary.js").ViewerEvent} event */
function take(event) {
  if (gone) return;
  if (event.type === "snapshot") {
    story = Story.from(event, story);
    isComplete = event.complete;
    if (isComplete) {
      void readFirstWindows(story);
      if (story.session) void readSilence();
    } else {
      awaitHistory();
    }
  } else {
    if (event.type === "utterance") unpainted.push(event.utterance_id);
    story?.add(event);
  }
  if (event.type === "session" && event.state === "deleted") leave("session.deleted");
  else paint();
}

/**
 * A snapshot has the last windows; those of the first hours of a very long session are fetched.
 * @param {Story} begun
 */
async function readFirstWindows(begun) {
  if ((begun.series(MINUTE_MS)[0]?.start_ms ?? 0) === 0) return;
  const { windows } = await readWindows(id, token, MINUTE_MS).catch(refused({ windows: [] }));
  for (const window of windows) begun.add(window);
  paint();
}

/** Audio is kept for a shorter time than words. */
async function readSilence() {
  const { from_ms } = await readKeptAudio(id, token).catch(refused({ from_ms: 0 }));
  if (!gone) reading.silence(from_ms);
}

/** While the history is away: asks whether it is back, and then for all of it. */
function awaitHistory() {
  clearTimeout(asking);
  asking = setTimeout(async () => {
    const isBack = await readSession(id, token).then(() => true).catch(refused(false));
    if (isBack) stream?.renew();
    else awaitHistory();
  }, AWAY_MS);
}

/** Finds out why the stream was refused: to be shown, unless trying again can help. */
async function mayRetry() {
  const error = await readSession(id, token).catch((caught) => caught);
  if (!(error instanceof ApiError)) return true;
  if (hasLoginEnded(error)) return regain("read").then(() => true);
  if (error.status === 0 || error.status >= 500 || error.status === 429) return true;
  const keys = new Map([[404, "session.missing"], [410, "session.deleted"]]);
  leave(keys.get(error.status) ?? "session.forbidden", error.message);
  return false;
}

/** @param {unknown} error */
function hasLoginEnded(error) {
  return error instanceof ApiError && error.status === 401 && token === null;
}

/**
 * @template Instead
 * @param {Instead} instead Of an answer, where the server gives none.
 */
function refused(instead) {
  return (/** @type {unknown} */ error) => {
    if (error instanceof ApiError) return instead;
    throw error;
  };
}

/** @param {string[]} rights Of the login, if there is one. */
function showKeeping(rights) {
  find("keeping").append(exportLinks(id, token));
  if (!may(rights, "operate")) return;
  const dialog = new DeletionDialog((_, { gone_from_logs_by }) => {
    leave("session.deleted");
    gone = { key: "session.deleted.by", reason: sayTime(gone_from_logs_by) };
    showState();
    find("home").querySelector("a")?.focus();
  });
  find("keeping").append(deleteButton(() => story?.session && dialog.ask(story.session)));
}

const rights = await startFrame(gone || token !== null ? null : "read");
showKeeping(rights);
onLanguage(paint);
addEventListener("resize", paint);
delays.addEventListener("toggle", paint);
paint();
const stream = gone
  ? null
  : new EventStream(eventsPath(id, token), {
      onEvent: take,
      onConnection: (now) => {
        if (now === isConnected) return;
        isConnected = now;
        paint();
      },
      mayRetry,
      mayRest: () => true,
    });
