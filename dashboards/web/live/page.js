/** The first page: the wall of everybody who is speaking now. */

import { eventsPath, isHistoryThere } from "../shared/api.js";
import { find, MoodCounts, showShares } from "../shared/elements.js";
import { EventStream } from "../shared/events.js";
import { paced, startFrame } from "../shared/frame.js";
import { onLanguage, say, text } from "../shared/i18n.js";
import { regain } from "../shared/regain.js";
import { Board } from "./board.js";
import { Controls } from "./controls.js";
import { totalsOf, Wall } from "./wall.js";
import { arrange } from "./wishes.js";

const AWAY_MS = 10_000;
const TICK_MS = 1000;

await startFrame("read");

const wall = new Wall();
const notice = find("notice");
const counts = new MoodCounts();
find("totals").append(counts.element);
let isConnected = true;
let hasSnapshot = false;
let isAsked = false;
let asking = 0;
/** When the server last gave a sign: while it gives none, nobody is silent for longer. */
let heardAtMs = performance.now();

const paint = paced(() => {
  const changed = wall.settle(heardAtMs);
  const wanted = arrange(wall.live, controls.wishes);
  board.show(wall.live, changed, wanted, isAsked);
  isAsked = false;
  controls.offer(wall.live.values());
  showTotals(wanted);
  showState(wanted.length);
});
const board = new Board(find("live"), paint);
const controls = new Controls(() => {
  isAsked = true;
  paint();
});

/** @param {string[]} wanted Over these. */
function showTotals(wanted) {
  const totals = totalsOf(wanted.map((id) => wall.live.get(id)).filter((entry) => entry !== undefined));
  const isAll = wanted.length === wall.live.size;
  say(find("count"), isAll ? "wall.count" : "wall.count.some", { live: wall.live.size, shown: wanted.length });
  say(find("said"), "wall.said", { utterances: totals.utterances });
  showShares(find("shares"), totals);
  counts.show(totals);
  const needy = wanted.filter((id) => wall.live.get(id)?.standing.rank).length;
  say(find("needy"), "wall.needy", { needy });
  find("needy").hidden = needy === 0;
  document.title = `${needy > 0 ? `(${needy}) ` : ""}${text("wall.title")} · Undertone`;
}

/** Says what is the matter, if anything is, and what to do where there is nothing to see. @param {number} shown */
function showState(shown) {
  const trouble = isConnected ? (wall.isComplete ? null : "stream.incomplete") : hasSnapshot ? "wall.lost" : "wall.unreached";
  notice.hidden = trouble === null;
  if (trouble) say(notice, trouble);
  document.body.classList.toggle("is-cut-off", !isConnected && hasSnapshot);
  find("live-loading").hidden = hasSnapshot || !isConnected;
  find("live-none").hidden = !hasSnapshot || wall.live.size > 0;
  find("live-unmatched").hidden = wall.live.size === 0 || shown > 0;
  find("totals").hidden = wall.live.size === 0;
}

/** @param {import("../shared/vocabulary.js").ViewerEvent} event */
function take(event) {
  wall.take(event, performance.now());
  hasSnapshot ||= event.type === "snapshot";
  if (event.type === "session" && event.state === "deleted") board.remove(event.session_id);
  if (event.type === "snapshot" && !event.complete) awaitHistory();
  paint();
}

/** While the history is away: asks whether it is back, and then for all of it. */
function awaitHistory() {
  clearTimeout(asking);
  asking = setTimeout(async () => {
    if (await isHistoryThere()) stream.renew();
    else awaitHistory();
  }, AWAY_MS);
}

onLanguage(paint);
setInterval(() => !document.hidden && paint(), TICK_MS);
const stream = new EventStream(eventsPath(null, null), {
  onEvent: take,
  onConnection: (now) => {
    if (now) heardAtMs = performance.now();
    if (now === isConnected) return;
    isConnected = now;
    paint();
  },
  mayRetry: async () => {
    await regain("read"); // the login may have ended
    return true;
  },
  mayRest: () => true,
});
