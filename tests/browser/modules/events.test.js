import assert from "node:assert/strict";
import { test } from "node:test";

/** The server's side of a stream, played by the test. */
class Source extends EventTarget {
  static CLOSED = 2;
  /** @type {Source[]} */
  static all = [];
  static get open() {
    return Source.all.filter(({ readyState }) => readyState !== Source.CLOSED);
  }
  readyState = 1;
  onerror = () => {};
  /** @param {URL} url */
  constructor(url) {
    super();
    this.url = url;
    Source.all.push(this);
  }
  close() {
    this.readyState = Source.CLOSED;
  }
  /** @param {string} lastEventId */
  say(lastEventId) {
    this.dispatchEvent(new MessageEvent("session", { data: "{}", lastEventId }));
  }
}

const page = Object.assign(new EventTarget(), { hidden: false });
Object.assign(globalThis, { document: page, location: new URL("http://test/"), EventSource: Source });
Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true }); // newer ones of node have locks
const { EventStream } = await import("../../../dashboards/web/shared/events.js");

/** @param {boolean} hidden */
function show(hidden) {
  page.hidden = hidden;
  page.dispatchEvent(new Event("visibilitychange"));
}

/** @param {import("node:test").TestContext} t @param {object} [wishes] */
function play(t, wishes) {
  t.mock.timers.enable({ apis: ["setInterval", "setTimeout"] });
  Source.all = [];
  page.hidden = false;
  const told = { connected: /** @type {boolean[]} */ ([]) };
  const follower = { onEvent: () => {}, onConnection: (/** @type {boolean} */ now) => told.connected.push(now) };
  const make = () => new EventStream("/v1/events", { ...follower, mayRetry: async () => true, mayRest: () => true, ...wishes });
  const stream = make();
  t.after(() => stream.close());
  return { stream, told, make };
}

test("a hidden page holds no connection, and goes on behind the last event when it is seen", (t) => {
  const { told } = play(t);
  Source.all[0].say("id-7");
  show(true);
  assert.equal(Source.open.length, 0);
  t.mock.timers.tick(120_000);
  assert.equal(Source.open.length, 0);
  show(false);
  assert.equal(Source.open.length, 1);
  assert.equal(Source.open[0].url.searchParams.get("last_event_id"), "id-7");
  show(false);
  assert.equal(Source.all.length, 2);
  assert.equal(told.connected.includes(false), false);
});

test("a page that is opened in the background waits until it is seen", (t) => {
  const { stream, make } = play(t);
  stream.close();
  page.hidden = true;
  const hidden = make();
  t.after(() => hidden.close());
  assert.equal(Source.open.length, 0);
  show(false);
  assert.equal(Source.open.length, 1);
});

test("a page that records keeps its stream though hidden, and lets go of it when the recording is over", (t) => {
  let isRecording = true;
  play(t, { mayRest: () => !isRecording });
  show(true);
  t.mock.timers.tick(10_000);
  assert.equal(Source.open.length, 1);
  isRecording = false;
  t.mock.timers.tick(5_000);
  assert.equal(Source.open.length, 0);
});

test("a stream that was lost is not taken up again while the page is hidden", (t) => {
  play(t);
  Source.all[0].onerror();
  show(true);
  t.mock.timers.tick(60_000);
  assert.equal(Source.open.length, 0);
  assert.equal(Source.all.length, 1);
});

test("a stream that was closed stays closed when the page is seen again", (t) => {
  const { stream } = play(t);
  show(true);
  stream.close();
  show(false);
  assert.equal(Source.open.length, 0);
});
