/**
 * What a viewer knows of a set of sessions, built from events alone. The same event twice, or an older one, changes
 * nothing; so it does not matter where a stream was cut and taken up again.
 */

import { emptyWindows, isEmpty, keyOf, lengthOf } from "./windows.js";

/** @typedef {import("./vocabulary.js").Session} Session */
/** @typedef {import("./vocabulary.js").Utterance} Utterance */
/** @typedef {import("./vocabulary.js").Partial} Partial */
/** @typedef {import("./vocabulary.js").Window} Window */
/** @typedef {import("./vocabulary.js").Snapshot} Snapshot */
/** @typedef {import("./vocabulary.js").ViewerEvent} ViewerEvent */

/** So many a story keeps, as many as a snapshot brings; the history has the others. */
export const MOST_UTTERANCES = 500;
/** So many sessions a library keeps of those in which nobody speaks yet, or that it knows by a late figure alone. */
export const MOST_QUIET = 200;

/** A session at a glance, in the same small room however long it goes on. */
export class Glance {
  /** @type {Session | null} */
  session = null;
  /** @type {Partial | null} */
  partial = null;
  /** @type {Window | null} The whole session in one window, once there is one. */
  total = null;
  /** @type {Utterance | null} The last utterance that counts. */
  lastWords = null;
  /** Everything before this sample is final. */
  #through = 0;

  /** How much is heard, in samples. */
  get heard() {
    return Math.max(this.#through, this.partial?.rev ?? 0);
  }

  /** @param {Session | Utterance | Partial | Window} event */
  add(event) {
    if (event.type === "session") this.addSession(event);
    if (event.type === "utterance") this.addUtterance(event);
    if (event.type === "partial") this.addPartial(event);
    if (event.type === "window") this.addWindow(event);
  }

  /** @param {Session} session */
  addSession(session) {
    if (this.session && session.seq < this.session.seq) return;
    this.session = session;
    this.#settle(session.through);
    if (session.state === "ended") this.partial = null;
  }

  /** @param {Utterance} utterance */
  addUtterance(utterance) {
    this.#settle(utterance.through);
    if (utterance.quality.suppressed) return;
    if (!this.lastWords || utterance.utterance_id > this.lastWords.utterance_id) this.lastWords = utterance;
  }

  /** @param {Partial} partial */
  addPartial(partial) {
    if (partial.first_sample < this.#through || this.session?.state === "ended") return;
    if (!this.partial || partial.rev >= this.partial.rev) this.partial = partial;
  }

  /** @param {Window} window */
  addWindow(window) {
    if (window.size_ms === 0 && (!this.total || window.seq >= this.total.seq)) this.total = window;
  }

  /** @param {number} through */
  #settle(through) {
    this.#through = Math.max(this.#through, through);
    if (this.partial && this.#through > this.partial.first_sample) this.partial = null;
  }
}

/** One session with its last utterances and every window. */
export class Story extends Glance {
  /** @type {Utterance[]} The last ones, in order of time and without a gap between them. */
  utterances = [];
  /** Whether there may be utterances before these. */
  hasEarlier = false;
  /** @type {Map<string, Window>} By size and start. */
  #windows = new Map();
  /** @type {number | null} Every window before this is known, since those that no utterance overlaps are not sent. */
  #filledMs = null;

  /**
   * The story that a snapshot tells. One that is not complete adds to what was known before.
   * @param {Snapshot} snapshot
   * @param {Story | null} former
   */
  static from(snapshot, former) {
    const story = new Story();
    if (former && !snapshot.complete) story.#recall(former, snapshot.utterances[0]);
    for (const part of partsOf(snapshot)) story.add(part);
    if (snapshot.complete) story.#filledMs ??= 0;
    story.hasEarlier ||= snapshot.more || !snapshot.complete;
    return story;
  }

  /**
   * The windows of one size, in order.
   * @param {number} sizeMs
   */
  series(sizeMs) {
    return [...this.#windows.values()]
      .filter((window) => window.size_ms === sizeMs)
      .sort((a, b) => a.start_ms - b.start_ms);
  }

  /** @param {Utterance} utterance */
  addUtterance(utterance) {
    const { utterances } = this;
    let place = utterances.length;
    while (place > 0 && utterances[place - 1].utterance_id > utterance.utterance_id) place -= 1;
    const isKnown = utterances[place - 1]?.utterance_id === utterance.utterance_id;
    if (isKnown || (place === 0 && this.hasEarlier)) return;
    utterances.splice(place, 0, utterance);
    if (utterances.length > MOST_UTTERANCES) {
      utterances.shift();
      this.hasEarlier = true;
    }
    super.addUtterance(utterance);
  }

  /** @param {Window} window */
  addWindow(window) {
    super.addWindow(window);
    const known = this.#windows.get(keyOf(window));
    if (!known || window.seq >= known.seq) this.#windows.set(keyOf(window), window);
    if (this.total === window) this.#fill(window);
  }

  /**
   * Adds the empty windows of the time that came with this whole-session window. A snapshot brings its own.
   * @param {Window} whole
   */
  #fill(whole) {
    if (this.#filledMs !== null) {
      for (const window of emptyWindows(whole, this.#filledMs)) {
        const known = this.#windows.get(keyOf(window));
        if (!known || isEmpty(known)) this.#windows.set(keyOf(window), window);
      }
    }
    this.#filledMs = Math.max(this.#filledMs ?? 0, lengthOf(whole));
  }

  /**
   * @param {Story} former
   * @param {Utterance | undefined} first What follows; with a gap before it the former utterances are of no use here.
   */
  #recall(former, first) {
    if (former.session) this.addSession(former.session);
    for (const window of former.#windows.values()) this.addWindow(window);
    this.#filledMs = null; // what the ring does not reach back to is not known to be empty
    const last = former.utterances.at(-1);
    if (first && last && last.utterance_id < first.utterance_id) return;
    for (const utterance of former.utterances) this.addUtterance(utterance);
    this.hasEarlier = former.hasEarlier;
  }
}

/** @param {Snapshot} snapshot */
function partsOf({ sessions, utterances, windows, partials }) {
  return [...sessions, ...utterances, ...windows, ...partials];
}

/**
 * Many stories, by session.
 * @template {Glance} Kind
 */
export class Library {
  #Kind;
  /** @type {Map<string, Kind>} */
  stories = new Map();
  /** Whether the last snapshot had everything; false while the history is out of reach. */
  complete = true;

  /** @param {new () => Kind} Kind How much of each session is kept: `Glance` or `Story`. */
  constructor(Kind) {
    this.#Kind = Kind;
  }

  /**
   * Takes one event and returns the sessions that it may have changed.
   * @param {ViewerEvent} event
   * @returns {Iterable<string>}
   */
  apply(event) {
    if (event.type !== "snapshot") return [this.#add(event)];
    const before = [...this.stories.keys()];
    this.complete = event.complete;
    this.stories = new Map();
    for (const part of partsOf(event)) this.#add(part);
    return new Set([...before, ...this.stories.keys()]);
  }

  /**
   * Forgets the sessions that have ended, and returns what it knew of them. Those that have not begun are kept, since
   * their first words may come before the news that they are live; the oldest of too many are forgotten too.
   */
  dropQuiet() {
    const ended = [...this.stories].filter(([, { session }]) => session?.state === "ended");
    for (const [id] of ended) this.stories.delete(id);
    const waiting = [...this.stories].filter(([, { session }]) => session?.state !== "live");
    for (const [id] of waiting.slice(0, Math.max(waiting.length - MOST_QUIET, 0))) this.stories.delete(id);
    return ended.map(([, story]) => story);
  }

  /** @param {Session | Utterance | Partial | Window} event */
  #add(event) {
    if (event.type === "session" && event.state === "deleted") {
      this.stories.delete(event.session_id);
      return event.session_id;
    }
    const story = this.stories.get(event.session_id) ?? new this.#Kind();
    this.stories.set(event.session_id, story);
    story.add(event);
    return event.session_id;
  }
}
