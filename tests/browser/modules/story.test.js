import assert from "node:assert/strict";
import { test } from "node:test";

import { Glance, Library, MOST_QUIET, MOST_UTTERANCES, Story } from "../../../dashboards/web/shared/story.js";

const ID = "s";
/** @param {number} first @param {object} [more] @returns {any} */
const utterance = (first, more) => ({
  type: "utterance",
  session_id: ID,
  utterance_id: `${ID}-${String(first).padStart(12, "0")}`,
  first_sample: first,
  through: first + 100,
  text: `at ${first}`,
  quality: { suppressed: null },
  ...more,
});
/** @param {number} first @param {number} rev @returns {any} */
const partial = (first, rev) => ({ type: "partial", session_id: ID, first_sample: first, rev, text: `to ${rev}` });
/** @param {object} more @returns {any} */
const session = (more) => ({ type: "session", session_id: ID, seq: 0, through: 0, state: "live", ...more });

/** @param {object} more @returns {any} */
const snapshot = (more) => ({ type: "snapshot", complete: true, more: false, sessions: [], utterances: [], windows: [], partials: [], ...more });
/** @param {number} seq @returns {any} */
const whole = (seq) => ({ type: "window", size_ms: 0, start_ms: 0, seq });

test("a final takes the place of its partial, and a late partial does not come back", () => {
  const story = new Story();
  story.addPartial(partial(0, 50));
  story.addUtterance(utterance(0));
  assert.equal(story.partial, null);
  story.addPartial(partial(0, 60));
  assert.equal(story.partial, null);
  story.addPartial(partial(100, 160));
  assert.equal(story.partial?.text, "to 160");
});

test("a partial that has heard less than the one shown is an old one", () => {
  const story = new Story();
  story.addPartial(partial(0, 50));
  story.addPartial(partial(0, 40));
  assert.equal(story.partial?.rev, 50);
});

test("a mark past the start of a partial makes it void", () => {
  const story = new Story();
  story.addPartial(partial(0, 50));
  story.addSession(session({ seq: 1, through: 80 }));
  assert.equal(story.partial, null);
});

test("the first final wins, and finals lie in order however they come", () => {
  const story = new Story();
  story.addUtterance(utterance(500));
  story.addUtterance(utterance(0));
  story.addUtterance(utterance(500, { text: "another" }));
  assert.deepEqual(story.utterances.map(({ text }) => text), ["at 0", "at 500"]);
});

test("a story keeps the last utterances, and knows that there were others", () => {
  const story = new Story();
  for (let n = 0; n < 10_000; n++) story.addUtterance(utterance(n * 100));
  assert.equal(story.utterances.length, MOST_UTTERANCES);
  assert.equal(story.utterances.at(-1)?.first_sample, 999_900);
  assert.equal(story.hasEarlier, true);
});

test("an old utterance that comes again would leave a gap, and is not taken", () => {
  const story = Story.from(snapshot({ utterances: [utterance(500)], more: true }), null);
  story.addUtterance(utterance(100));
  story.addUtterance(utterance(600));
  assert.deepEqual(story.utterances.map(({ text }) => text), ["at 500", "at 600"]);
});

test("a whole snapshot takes the place of what was known", () => {
  const former = Story.from(snapshot({ sessions: [session({ title: "old" })], utterances: [utterance(0)] }), null);
  const story = Story.from(snapshot({ sessions: [session({ seq: 1 })], utterances: [utterance(100)], more: true }), former);
  assert.deepEqual(story.utterances.map(({ text }) => text), ["at 100"]);
  assert.equal(story.hasEarlier, true);
  assert.equal(Story.from(snapshot({ utterances: [utterance(100)] }), former).hasEarlier, false);
});

test("a snapshot without the history adds to what was known", () => {
  const former = Story.from(snapshot({ sessions: [session({ seq: 7, title: "known" })], utterances: [utterance(0), utterance(100)], windows: [whole(7)] }), null);
  const away = { complete: false, utterances: [utterance(100), utterance(200)] };
  const story = Story.from(snapshot(away), former);
  assert.equal(/** @type {any} */ (story.session).title, "known");
  assert.equal(story.total?.seq, 7);
  assert.deepEqual(story.utterances.map(({ text }) => text), ["at 0", "at 100", "at 200"]);
  assert.equal(story.lastWords?.text, "at 200");
  assert.deepEqual(Story.from(snapshot({ complete: false }), former).utterances, former.utterances);
});

test("what a snapshot without the history cannot join on to is not joined", () => {
  const former = Story.from(snapshot({ utterances: [utterance(0), utterance(100)] }), null);
  const story = Story.from(snapshot({ complete: false, utterances: [utterance(900)] }), former);
  assert.deepEqual(story.utterances.map(({ text }) => text), ["at 900"]);
  assert.equal(story.hasEarlier, true);
});

test("an older state of the session, or of a window, changes nothing", () => {
  const story = new Story();
  const total = (/** @type {number} */ seq) => /** @type {any} */ ({ size_ms: 0, start_ms: 0, seq, positive: seq });
  story.addSession(session({ seq: 5, state: "ended" }));
  story.addSession(session({ seq: 4 }));
  story.addWindow(total(5));
  story.addWindow(total(4));
  assert.equal(story.session?.state, "ended");
  assert.equal(story.total?.positive, 5);
});

/** @param {number} seq @param {number} lengthMs @param {object} [more] @returns {any} */
const heard = (seq, lengthMs, more) => ({ type: "window", session_id: ID, size_ms: 0, start_ms: 0, seq, final: false, utterances: 1, talk_ms: 2000, silence_ms: lengthMs - 2000, ...more });
/** @param {number} start_ms @param {number} seq @param {object} [more] @returns {any} */
const spoken = (start_ms, seq, more) => ({ type: "window", session_id: ID, size_ms: 10_000, start_ms, seq, utterances: 1, talk_ms: 2000, silence_ms: 3000, ...more });
/** @param {Story} story @param {number} [size] */
const series = (story, size = 10_000) => story.series(size).map(({ start_ms, talk_ms, silence_ms, final }) => [start_ms, talk_ms, silence_ms, final]);

test("a window in which nobody talks is not sent, and is there all the same", () => {
  const story = Story.from(snapshot({}), null);
  story.add(spoken(20_000, 1));
  story.add(heard(1, 25_000));
  assert.deepEqual(series(story), [[0, 0, 10_000, true], [10_000, 0, 10_000, true], [20_000, 2000, 3000, undefined]]);
  story.add(spoken(20_000, 2, { silence_ms: 8000, final: true }));
  story.add(heard(2, 34_000));
  assert.deepEqual(series(story).slice(2), [[20_000, 2000, 8000, true], [30_000, 0, 4000, false]]);
  story.add(heard(3, 36_000, { final: true }));
  assert.deepEqual(series(story).slice(2), [[20_000, 2000, 8000, true], [30_000, 0, 6000, true]]);
  assert.deepEqual(series(story, 60_000), [[0, 0, 36_000, true]]);
  story.add(heard(2, 34_000));
  assert.deepEqual(series(story).at(-1), [30_000, 0, 6000, true]);
});

test("an empty window becomes one in which somebody talks, in whatever order they come", () => {
  const story = Story.from(snapshot({}), null);
  story.add(heard(1, 4000));
  story.add(heard(2, 9000));
  story.add(spoken(0, 2));
  assert.deepEqual(series(story), [[0, 2000, 3000, undefined]]);
});

test("what lies before a snapshot that was cut, or that has no history, is not taken for silence", () => {
  const windows = [heard(5, 45_000), spoken(30_000, 5), spoken(40_000, 5)];
  for (const complete of [true, false]) {
    const story = Story.from(snapshot({ complete, windows }), null);
    story.add(heard(6, 65_000));
    assert.deepEqual(series(story).map(([start]) => start), [30_000, 40_000, 50_000, 60_000]);
  }
  const former = Story.from(snapshot({ windows }), null);
  const later = Story.from(snapshot({ complete: false, windows: [spoken(90_000, 9), heard(9, 95_000)] }), former);
  assert.deepEqual(series(later).map(([start]) => start), [30_000, 40_000, 90_000]);
});

test("last words are words that count", () => {
  const story = new Story();
  story.addUtterance(utterance(0));
  story.addUtterance(utterance(200, { quality: { suppressed: "no_speech" } }));
  assert.equal(story.lastWords?.text, "at 0");
});

test("a snapshot replaces all, and says what it took away", () => {
  const library = new Library(Story);
  library.apply(session({ session_id: "gone" }));
  const snapshot = { type: "snapshot", complete: false, sessions: [session({})], utterances: [], windows: [], partials: [] };
  assert.deepEqual([...library.apply(/** @type {any} */ (snapshot))].sort(), ["gone", ID]);
  assert.deepEqual([...library.stories.keys()], [ID]);
  assert.equal(library.complete, false);
});

test("a deleted session is forgotten", () => {
  const library = new Library(Story);
  library.apply(session({}));
  library.apply(session({ seq: 9 }));
  assert.deepEqual([...library.apply(session({ seq: 0, state: "deleted" }))], [ID]);
  assert.equal(library.stories.size, 0);
});

test("what is heard counts before the first final, and only grows by finals after it", () => {
  const glance = new Glance();
  glance.addSession(session({}));
  assert.equal(glance.heard, 0);
  glance.addPartial(partial(0, 50));
  assert.equal(glance.heard, 50);
  glance.addUtterance(utterance(0));
  assert.equal(glance.heard, 100);
  glance.addSession(session({ seq: 1, through: 180 }));
  assert.equal(glance.heard, 180);
  glance.addPartial(partial(180, 240));
  assert.equal(glance.heard, 240);
});

test("a glance keeps no more after ten thousand utterances than after the last", () => {
  const [long, short] = [new Glance(), new Glance()];
  for (let at = 0; at < 1_000_000; at += 100) long.addUtterance(utterance(at));
  for (const size_ms of [10_000, 60_000]) long.addWindow(/** @type {any} */ ({ size_ms, start_ms: 0, seq: 9 }));
  short.addUtterance(utterance(999_900));
  assert.deepEqual({ ...long }, { ...short });
  assert.equal(long.heard, 1_000_000);
});

test("an utterance that comes again or late changes neither the last words nor the next partial", () => {
  const glance = new Glance();
  glance.addUtterance(utterance(200));
  glance.addPartial(partial(300, 350));
  glance.addUtterance(utterance(0));
  glance.addUtterance(utterance(200, { text: "another" }));
  assert.equal(glance.lastWords?.text, "at 200");
  assert.equal(glance.partial?.rev, 350);
});

test("a story takes no partial through all its utterances", () => {
  const story = new Story();
  for (let at = 0; at < 10_000; at += 100) story.addUtterance(utterance(at));
  Object.defineProperty(story, "utterances", { get: () => assert.fail("walked") });
  story.addPartial(partial(10_000, 10_050));
  assert.equal(story.heard, 10_050);
  assert.equal(story.lastWords?.text, "at 9900");
});

test("a library lets go of those who have ended, and hands over what it knew", () => {
  const library = new Library(Glance);
  library.apply(session({}));
  library.apply(session({ session_id: "over", state: "ended" }));
  assert.deepEqual(library.dropQuiet().map((glance) => glance.session?.session_id), ["over"]);
  assert.deepEqual([...library.stories.keys()], [ID]);
  assert.deepEqual(library.dropQuiet(), []);
});

test("first words that come before the news that their session is live are kept, but not of ever more sessions", () => {
  const library = new Library(Glance);
  for (let n = 0; n < MOST_QUIET + 50; n++) library.apply({ ...partial(0, 50), session_id: `waiting ${n}` });
  library.apply(session({ session_id: "waiting 249" }));
  library.dropQuiet();
  assert.equal(library.stories.size, MOST_QUIET + 1);
  assert.equal(library.stories.get("waiting 249")?.partial?.rev, 50);
  assert.ok(!library.stories.has("waiting 0"));
});
