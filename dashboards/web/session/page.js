/** One session, live or past: the same page, since a past session is a live one that has ended. */

import { ApiError, eventsPath, readSession } from "../shared/api.js";
import { find, showShares, showTotals } from "../shared/elements.js";
import { EventStream } from "../shared/events.js";
import { clock, mediaMs } from "../shared/format.js";
import { paced, startFrame } from "../shared/frame.js";
import { onLanguage, say, sayTime } from "../shared/i18n.js";
import { Library } from "../shared/story.js";
import { Transcript } from "../shared/transcript.js";
import { showTitle } from "../live/card.js";
import { drawMoodLine } from "./mood-line.js";

/** Beyond this length a point per minute says more than a point per ten seconds. */
const LONG_MS = 15 * 60_000;

const parameters = new URLSearchParams(location.search);
const id = parameters.get("id");
const token = parameters.get("token");
const notice = find("notice");
const library = new Library();
const transcript = new Transcript(find("transcript"), find("scroll"));
let connected = true;
let wasDeleted = false;

const paint = paced(() => {
  const story = library.stories.get(id ?? "");
  showNotice(story !== undefined);
  if (!story) return;
  find("story").hidden = false;
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
  const drawn = drawMoodLine(find("mood"), story.series(lengthMs > LONG_MS ? 60_000 : 10_000), lengthMs);
  find("mood-none").hidden = drawn;
  const isLive = session?.state !== "ended";
  transcript.show(story, isLive);
  find("transcript-none").hidden = !transcript.isEmpty;
  say(find("transcript-none"), isLive ? "session.transcript.none" : "session.transcript.silent");
});

/** @param {boolean} isLoaded */
function showNotice(isLoaded) {
  notice.hidden = isLoaded && connected && library.complete && !wasDeleted;
  if (wasDeleted) say(notice, "session.deleted");
  else if (!connected) say(notice, "stream.lost");
  else say(notice, isLoaded ? "stream.incomplete" : "stream.loading");
}

/** Why the stream was refused: shown, unless trying again can help. */
async function mayRetry() {
  try {
    await readSession(id ?? "", token);
    return true;
  } catch (error) {
    const status = error instanceof ApiError ? error.status : 0;
    if (status === 0 || status >= 500 || status === 429) return true;
    notice.hidden = false;
    if (status === 404) say(notice, "session.missing");
    else say(notice, "session.forbidden", { reason: String(/** @type {Error} */ (error).message) });
    return false;
  }
}

await startFrame();
onLanguage(paint);
addEventListener("resize", paint);
if (id === null) {
  say(notice, "session.noid");
} else {
  new EventStream(eventsPath(id, token), {
    onEvent: (event) => {
      if (event.type === "session" && event.state === "deleted") wasDeleted = true;
      library.apply(event);
      paint();
    },
    onConnection: (now) => {
      if (now === connected) return;
      connected = now;
      paint();
    },
    mayRetry,
  });
}
