/**
 * What a viewer knows of a set of sessions, built from events alone. The same event twice, or an older one, changes
 * nothing; so it does not matter where a stream was cut and taken up again.
 */

/** @typedef {import("./vocabulary.js").Session} Session */
/** @typedef {import("./vocabulary.js").Utterance} Utterance */
/** @typedef {import("./vocabulary.js").Partial} Partial */
/** @typedef {import("./vocabulary.js").Window} Window */
/** @typedef {import("./vocabulary.js").ViewerEvent} ViewerEvent */

/** One session as a viewer sees it. */
export class Story {
  /** @type {Session | null} */
  session = null;
  /** @type {Map<string, Utterance>} */
  #utterances = new Map();
  #isSorted = true;
  /** @type {Partial | null} */
  partial = null;
  /** @type {Map<string, Window>} By size and start. */
  windows = new Map();

  /** By id, in order of time. */
  get utterances() {
    if (!this.#isSorted) this.#utterances = new Map([...this.#utterances].sort(([a], [b]) => (a < b ? -1 : 1)));
    this.#isSorted = true;
    return this.#utterances;
  }

  /** The whole session in one window, once there is one. */
  get total() {
    return this.windows.get("0 0") ?? null;
  }

  /**
   * The windows of one size, in order.
   * @param {number} sizeMs
   */
  series(sizeMs) {
    return [...this.windows.values()]
      .filter((window) => window.size_ms === sizeMs)
      .sort((a, b) => a.start_ms - b.start_ms);
  }

  /** The last utterance that counts. */
  get lastWords() {
    return [...this.utterances.values()].findLast((utterance) => !utterance.quality.suppressed) ?? null;
  }

  /** How much is heard, in samples. */
  get heard() {
    let heard = this.session?.through ?? 0;
    for (const utterance of this.utterances.values()) heard = Math.max(heard, utterance.through);
    return Math.max(heard, this.partial?.rev ?? 0);
  }

  /** @param {Session} session */
  addSession(session) {
    if (this.session && session.seq < this.session.seq) return;
    this.session = session;
    if (this.partial && (session.through > this.partial.first_sample || session.state === "ended")) this.partial = null;
  }

  /** @param {Utterance} utterance */
  addUtterance(utterance) {
    if (this.#utterances.has(utterance.utterance_id)) return;
    this.#utterances.set(utterance.utterance_id, utterance);
    this.#isSorted = false;
    if (this.partial && utterance.through > this.partial.first_sample) this.partial = null;
  }

  /** @param {Partial} partial */
  addPartial(partial) {
    const settled = [...this.utterances.values()].at(-1)?.through ?? 0;
    if (partial.first_sample < Math.max(settled, this.session?.through ?? 0)) return;
    if (this.session?.state === "ended" || (this.partial && partial.rev < this.partial.rev)) return;
    this.partial = partial;
  }

  /** @param {Window} window */
  addWindow(window) {
    const key = `${window.size_ms} ${window.start_ms}`;
    const known = this.windows.get(key);
    if (!known || window.seq >= known.seq) this.windows.set(key, window);
  }
}

/** Many stories, by session. */
export class Library {
  /** @type {Map<string, Story>} */
  stories = new Map();
  /** Whether the last snapshot had everything; false while the history is out of reach. */
  complete = true;

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
    for (const part of [...event.sessions, ...event.utterances, ...event.windows, ...event.partials]) this.#add(part);
    return new Set([...before, ...this.stories.keys()]);
  }

  /** @param {Session | Utterance | Partial | Window} event */
  #add(event) {
    const story = this.stories.get(event.session_id) ?? new Story();
    this.stories.set(event.session_id, story);
    if (event.type === "session") story.addSession(event);
    if (event.type === "utterance") story.addUtterance(event);
    if (event.type === "partial") story.addPartial(event);
    if (event.type === "window") story.addWindow(event);
    if (story.session?.state === "deleted") this.stories.delete(event.session_id);
    return event.session_id;
  }
}
