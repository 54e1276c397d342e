/** Past sessions, newest first, a page at a time. */

import { ApiError, listPastSessions, sessionPage } from "../shared/api.js";
import { find, make, MoodCounts } from "../shared/elements.js";
import { clock, mediaMs } from "../shared/format.js";
import { say, sayTime } from "../shared/i18n.js";
import { showTitle } from "./card.js";

/** @typedef {import("../shared/vocabulary.js").Session} Session */
/** @typedef {import("../shared/vocabulary.js").Window} Window */

/** @typedef {{element: HTMLLIElement, counts: MoodCounts, seq: number}} Row */

/**
 * @param {Session} session
 * @returns {Row}
 */
function makeRow(session) {
  const title = make("span", "card-title");
  showTitle(title, session);
  const began = session.started_at ?? session.created_at;
  const when = make("time", "meta", sayTime(began));
  when.dateTime = began;
  when.dataset.time = began;
  const counts = new MoodCounts();
  const link = make("a", "", title, counts.element, when, make("span", "meta", clock(mediaMs(session.through))));
  link.href = sessionPage(session.session_id, null);
  return { element: make("li", "", link), counts, seq: -1 };
}

export class History {
  #list = find("past");
  #note = find("past-note");
  #more = find("more");
  /** @type {string | null} */
  #cursor = null;
  /** @type {Map<string, Row>} */
  #rows = new Map();

  constructor() {
    this.#more.addEventListener("click", () => void this.load());
  }

  /** Fetches the next page. Its errors are shown, with a way to try again. */
  async load() {
    this.#more.hidden = true;
    try {
      const { sessions, windows, next } = await listPastSessions(this.#cursor);
      this.#cursor = next;
      for (const session of sessions) this.add(session);
      for (const window of windows) this.count(window);
      this.#tell();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.#note.hidden = false;
      say(this.#note, "home.past.failed", { reason: error.message });
      say(this.#more, "home.retry");
      this.#more.hidden = false;
    }
  }

  /**
   * Gives a session a row in its place, unless it has one.
   * @param {Session} session
   */
  add(session) {
    const id = session.session_id;
    if (this.#rows.has(id)) return;
    const row = makeRow(session);
    const older = [...this.#rows.keys()].filter((known) => known < id).sort().at(-1);
    this.#list.insertBefore(row.element, this.#rows.get(older ?? "")?.element ?? null);
    this.#rows.set(id, row);
    this.#note.hidden = true;
  }

  /**
   * Shows the counts of a session that has a row, unless it has newer ones.
   * @param {Window} total The whole of it.
   */
  count(total) {
    const row = this.#rows.get(total.session_id);
    if (!row || total.seq < row.seq) return;
    row.seq = total.seq;
    row.counts.show(total);
  }

  /**
   * A session that somebody speaks in again is no longer past.
   * @param {string} id
   */
  remove(id) {
    this.#rows.get(id)?.element.remove();
    this.#rows.delete(id);
  }

  #tell() {
    say(this.#more, "home.past.more");
    this.#more.hidden = this.#cursor === null;
    this.#note.hidden = this.#rows.size > 0;
    say(this.#note, "home.past.none");
  }
}
