/** Past sessions, newest first, a page at a time. */

import { ApiError, listPastSessions, sessionPage } from "../shared/api.js";
import { find, make, MoodCounts } from "../shared/elements.js";
import { clock, mediaMs } from "../shared/format.js";
import { say, sayTime } from "../shared/i18n.js";
import { showTitle } from "./card.js";

/** @typedef {import("../shared/vocabulary.js").Session} Session */
/** @typedef {import("../shared/vocabulary.js").Window} Window */

/**
 * @param {Session} session
 * @param {Window | null} total
 */
function makeRow(session, total) {
  const title = make("span", "card-title");
  showTitle(title, session);
  const began = session.started_at ?? session.created_at;
  const when = make("time", "meta", sayTime(began));
  when.dateTime = began;
  when.dataset.time = began;
  const counts = new MoodCounts();
  counts.show(total);
  const link = make("a", "", title, counts.element, when, make("span", "meta", clock(mediaMs(session.through))));
  link.href = sessionPage(session.session_id, null);
  return make("li", "", link);
}

export class History {
  #list = find("past");
  #note = find("past-note");
  #more = find("more");
  /** @type {string | null} */
  #cursor = null;
  /** @type {Map<string, HTMLLIElement>} */
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
      const totals = new Map(windows.map((window) => [window.session_id, window]));
      for (const session of sessions) {
        const row = this.#take(session, totals.get(session.session_id) ?? null);
        if (row) this.#list.append(row);
      }
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
   * A session that ended while the page was open goes on top.
   * @param {Session} session
   * @param {Window | null} total
   */
  prepend(session, total) {
    const row = this.#take(session, total);
    if (row) this.#list.prepend(row);
    this.#note.hidden = true;
  }

  /**
   * A session that somebody speaks in again is no longer past.
   * @param {string} id
   */
  remove(id) {
    this.#rows.get(id)?.remove();
    this.#rows.delete(id);
  }

  /**
   * A row for a session that has none yet.
   * @param {Session} session
   * @param {Window | null} total
   */
  #take(session, total) {
    if (this.#rows.has(session.session_id)) return null;
    const row = makeRow(session, total);
    this.#rows.set(session.session_id, row);
    return row;
  }

  #tell() {
    say(this.#more, "home.past.more");
    this.#more.hidden = this.#cursor === null;
    this.#note.hidden = this.#rows.size > 0;
    say(this.#note, "home.past.none");
  }
}
