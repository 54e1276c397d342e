/** One session, live or past: the same page, since a past session is a live one that has ended. */

import { ApiError, eventsPath, listUtterances, readCourse, readSession } from "../shared/api.js";
import { find, showShares, showTotals } from "../shared/elements.js";
import { EventStream } from "../shared/events.js";
import { clock, mediaMs } from "../shared/format.js";
import { paced, startFrame } from "../shared/frame.js";
import { onLanguage, say, sayTime } from "../shared/i18n.js";
import { enter } from "../shared/login.js";
import { Library, Story } from "../shared/story.js";
import { Transcript } from "../shared/transcript.js";
import { showTitle } from "../live/card.js";
import { CourseFollower } from "./course.js";
import { showFacts, showQuarters } from "./figures.js";
import { drawMoodLine } from "./mood-line.js";

/** Beyond this length a point per minute says more than a point per ten seconds. */
const LONG_MS = 15 * 60_000;

const parameters = new URLSearchParams(location.search);
const id = parameters.get("id");
const token = parameters.get("token");
const notice = find("notice");
const library = new Library(Story);
const transcript = new Transcript(find("transcript"), find("scroll"));
let connected = true;
let hasSnapshot = false;
let wasDeleted = false;
/** @type {{key: string, reason: string} | null} Why the server does not show the session. */
let refusal = null;

const paint = paced(() => {
  showNotice();
  find("story").hidden = !hasSnapshot || wasDeleted;
  if (!hasSnapshot || wasDeleted) return;
  const story = library.stories.get(id ?? "") ?? new Story();
  const { session } = story;
  const lengthMs = mediaMs(story.heard);
  showTitle(find("title"), session);
  document.title = `${session?.title ?? "Undertone"} · Undertone`;
  say(find("state"), `state.${session?.state ?? "open"}`);
  find("state").dataset.state = session?.state ?? "open";
  const began = session?.started_at ?? session?.created_at;
  if (began) {
    find("when").dataset.time = began;
    find("when").textContent = sayTime(began);
  }
  say(find("length"), "session.length", { length: clock(lengthMs) });
  showTotals(find("totals"), story.total);
  showShares(find("shares"), story.total);
  if (story.total) showFacts(find("facts"), story.total);
  showCourse(story.total?.seq ?? session?.seq ?? 0);
  const windows = story.series(lengthMs > LONG_MS ? 60_000 : 10_000);
  const drawn = drawMoodLine(find("mood"), windows, [...story.utterances.values()], lengthMs);
  find("mood-none").hidden = drawn;
  const isLive = session?.state !== "ended";
  transcript.show(story, isLive);
  find("transcript-none").hidden = !transcript.isEmpty;
  say(find("transcript-none"), isLive ? "session.transcript.none" : "session.transcript.silent");
});

const follower = new CourseFollower(() => readCourse(id ?? "", token), paint);

/** @param {number} seq The last final or mark that is counted in what is shown. */
function showCourse(seq) {
  follower.follow(seq);
  const { course } = follower;
  find("course").hidden = !course || course.quarters.length === 0;
  if (course) showQuarters(find("quarters"), find("trend"), course);
}

function showNotice() {
  notice.hidden = hasSnapshot && connected && library.complete && !wasDeleted;
  if (refusal) say(notice, refusal.key, { reason: refusal.reason });
  else if (wasDeleted) say(notice, "session.deleted");
  else if (!connected) say(notice, "stream.lost");
  else say(notice, hasSnapshot ? "stream.incomplete" : "stream.loading");
}

/** Fetches what the snapshot of a long session left out: everything before its first utterance. */
async function fetchEarlier() {
  const [firstKnown] = library.stories.get(id ?? "")?.utterances.keys() ?? [];
  for (let cursor = null, done = false; !done; done = cursor === null) {
    const page = await listUtterances(id ?? "", token, cursor);
    page.utterances.forEach((utterance) => library.apply(utterance));
    paint();
    cursor = page.utterances.some(({ utterance_id }) => utterance_id >= firstKnown) ? null : page.next;
  }
}

/** Finds out why the stream was refused: to be shown, unless trying again can help. */
async function mayRetry() {
  try {
    await readSession(id ?? "", token);
    return true;
  } catch (error) {
    const status = error instanceof ApiError ? error.status : 0;
    if (status === 401 && token === null) await enter("read");
    if (status === 0 || status >= 500 || status === 429) return true;
    const reason = String(/** @type {Error} */ (error).message);
    refusal = { key: status === 404 ? "session.missing" : "session.forbidden", reason };
    paint();
    return false;
  }
}

await startFrame(id !== null && token === null ? "read" : null);
onLanguage(paint);
addEventListener("resize", paint);
if (id === null) {
  say(notice, "session.noid");
} else {
  new EventStream(eventsPath(id, token), {
    onEvent: (event) => {
      if (event.type === "session" && event.state === "deleted") wasDeleted = true;
      library.apply(event);
      if (event.type === "snapshot") {
        hasSnapshot = true;
        if (event.more) void fetchEarlier();
      }
      paint();
    },
    onConnection: (now) => {
      if (now === connected) return;
      connected = now;
      paint();
    },
    mayRetry,
    mayRest: () => true,
  });
}
