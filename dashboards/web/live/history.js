/** Past sessions, newest first, a page at a time. */

import { ApiError, listSessions, sessionPage } from "../shared/api.js";
import { find, make, words } from "../shared/elements.js";
import { clock, mediaMs } from "../shared/format.js";
import { say, sayTime } from "../shared/i18n.js";
import { showTitle } from "./card.js";

/** @typedef {import("../shared/vocabulary.js").Session} Session */

/** @param {Session} session */
function makeRow(session) {
  const title = make("span", "card-title");
  showTitle(title, session);
  const began = session.started_at ?? session.created_at;
  const when = make("time", "meta", sayTime(began));
  when.dateTime = began;
  when.dataset.time = began;
  const count = words("home.past.utterances", { count: session.utterances });
  count.className = "meta meta-count";
  const link = make("a", "", title, when, count, make("span", "meta", clock(mediaMs(session.through))));
  link.href = sessionPage(session.session_id, null);
  return make("li", "", link);
}

export class History {
  #list = find("past");
  #note = find("past-note");
  #more = find("more");
  /** @type {string | null} */
  #cursor = null;
  /** @type {Set<string>} */
  #shown = new Set();

  constructor() {
    this.#more.addEventListener("click", () => void this.load());
  }

  /** Fetches the next page. Its errors are shown, with a way to try again. */
  async load() {
    this.#more.hidden = true;
    try {
      const { sessions, next } = await listSessions(this.#cursor);
      this.#cursor = next;
      for (const session of sessions) if (session.state === "ended") this.#append(session);
      this.#tell(next !== null);
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
   */
  prepend(session) {
    if (this.#shown.has(session.session_id)) return;
    this.#shown.add(session.session_id);
    this.#list.prepend(makeRow(session));
    this.#note.hidden = true;
  }

  /** @param {Session} session */
  #append(session) {
    if (this.#shown.has(session.session_id)) return;
    this.#shown.add(session.session_id);
    this.#list.append(makeRow(session));
  }

  /** @param {boolean} hasMore */
  #tell(hasMore) {
    say(this.#more, "home.past.more");
    this.#more.hidden = !hasMore;
    this.#note.hidden = this.#shown.size > 0 || hasMore;
    say(this.#note, "home.past.none");
  }
}
