import assert from "node:assert/strict";
import { test } from "node:test";

import { tail } from "../../../dashboards/web/live/last-words.js";
import { totalsOf, Wall } from "../../../dashboards/web/live/wall.js";
import { RECENT_MS, SLOT_MS } from "../../../dashboards/web/live/watched.js";
import { arrange, choices, readWishes, writeWishes } from "../../../dashboards/web/live/wishes.js";
import { judged, partial, session, snapshot, watched } from "./wall-parts.js";

/** @param {Wall} wall @param {any[]} events @param {number} [nowMs] */
function settle(wall, events, nowMs = 0) {
  for (const event of events) wall.take(event, nowMs);
  return [...wall.settle(nowMs)].sort();
}

test("only what changed is painted, and all that time alone may change once a second", () => {
  const wall = new Wall();
  assert.deepEqual(settle(wall, [snapshot({ sessions: [session("a"), session("b")] })]), ["a", "b"]);
  assert.deepEqual(settle(wall, []), []);
  assert.deepEqual(settle(wall, [partial("b", 100)], 500), ["b"]);
  assert.deepEqual(settle(wall, [], 1000), ["a", "b"]);
});

test("after a reset exactly those of the new snapshot are live, each once", () => {
  const wall = new Wall();
  settle(wall, [snapshot({ sessions: [session("a"), session("b")], partials: [partial("a", 100)] })]);
  const changed = settle(wall, [snapshot({ sessions: [session("b", { seq: 1 }), session("c")] })]);
  assert.deepEqual(changed, ["a", "b", "c"]);
  assert.deepEqual([...wall.live.keys()].sort(), ["b", "c"]);
});

test("who ends, is deleted or has not begun is not live", () => {
  const wall = new Wall();
  settle(wall, [snapshot({ sessions: ["a", "b", "c", "d"].map((id) => session(id)) })]);
  settle(wall, [session("a", { seq: 2, state: "ended" }), session("b", { seq: 2, state: "deleted" }), session("e", { state: "open" }), partial("f", 1)]);
  assert.deepEqual([...wall.live.keys()].sort(), ["c", "d"]);
  settle(wall, [session("a", { seq: 3 }), session("f")]);
  assert.deepEqual([...wall.live.keys()].sort(), ["a", "c", "d", "f"]);
  assert.equal(wall.live.get("f")?.watched.partial?.rev, 1);
});

test("the last minutes are kept and no more, however long it goes on", () => {
  const [long, short] = [watched(0, []), watched(0, [])];
  for (let at = 0; at < 10_000 * SLOT_MS; at += SLOT_MS) long.addWindow(judged(at, 0.5));
  assert.equal(long.recent.length, RECENT_MS / SLOT_MS);
  long.addWindow(judged(9_999 * SLOT_MS, -0.5, { seq: 2 }));
  long.addWindow(judged(9_999 * SLOT_MS, 0.1, { seq: 1 }));
  assert.equal(long.recent.at(-1)?.score, -0.5, "a newer one takes the place of an older");
  for (const at of [30_000, 10_000, 20_000]) short.addWindow(judged(at, 0));
  assert.deepEqual(short.recent.map(({ start_ms }) => start_ms), [10_000, 20_000, 30_000]);
});

test("totals are sums", () => {
  const wall = new Wall();
  const whole = (/** @type {string} */ id) => judged(0, 0, { session_id: id, size_ms: 0, utterances: 5, positive: 1, negative: 2 });
  settle(wall, [snapshot({ sessions: [session("a"), session("b"), session("c")], windows: [whole("a"), whole("b")] })]);
  assert.deepEqual(totalsOf(wall.live.values()), { utterances: 10, positive: 2, neutral: 2, negative: 4 });
});

test("what needs most attention comes first, among equals the newest", () => {
  const wall = new Wall();
  const low = ["b", "c"].flatMap((id) => [0, 10_000].map((at) => judged(at, -0.9, { session_id: id })));
  settle(wall, [snapshot({ sessions: ["a", "b", "c", "d"].map((id) => session(id, { through: 320_000 })), windows: low })]);
  const wishes = readWishes("");
  assert.deepEqual(arrange(wall.live, wishes), ["c", "b", "d", "a"]);
  assert.deepEqual(arrange(wall.live, { ...wishes, sort: "newest" }), ["d", "c", "b", "a"]);
});

test("tag and language choose, and what is chosen can be chosen though nobody has it", () => {
  const wall = new Wall();
  settle(wall, [
    snapshot({ sessions: [session("a", { tags: ["x", "y"], language: "en" }), session("b", { tags: ["x"], language: "ko" }), session("c")] }),
  ]);
  const wishes = readWishes("?tag=x&language=ko");
  assert.deepEqual(arrange(wall.live, wishes), ["b"]);
  assert.deepEqual(arrange(wall.live, readWishes("?tag=x")), ["b", "a"]);
  assert.deepEqual(arrange(wall.live, readWishes("?language=en")), ["a"]);
  assert.deepEqual(choices(wall.live.values(), readWishes("?tag=z&language=de")), { tags: ["x", "y", "z"], languages: ["de", "en", "ko"] });
});

test("wishes go into the address and come back", () => {
  for (const query of ["", "?sort=newest", "?tag=a+b%26c&language=ko", "?sort=newest&tag=x"]) assert.equal(writeWishes(readWishes(query)), query);
  assert.equal(writeWishes(readWishes("?sort=nonsense&other=1")), "");
});

test("of a long speech the end is shown, in whole words where there are any", () => {
  assert.equal(tail("short", 10), "short");
  for (const most of [11, 12]) assert.equal(tail("one two three four", most), "… three four");
  assert.equal(tail("가나다라마바사아자차카", 4), "… 아자차카");
});

test("a tag is found in whichever Unicode form it was stored", () => {
  const wall = new Wall();
  settle(wall, [snapshot({ sessions: [session("a", { tags: ["cafe\u0301"] }), session("b", { tags: ["caf\u00e9"] })] })]);
  for (const typed of ["cafe\u0301", "caf\u00e9"]) {
    assert.deepEqual(arrange(wall.live, readWishes(`?tag=${typed}`)).sort(), ["a", "b"]);
  }
  assert.deepEqual(choices(wall.live.values(), readWishes("")).tags, ["caf\u00e9"]);
});
