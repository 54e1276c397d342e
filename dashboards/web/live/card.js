/** A live session at a glance: its title, how long, the last words, the share of moods. */

import { sessionPage } from "../shared/api.js";
import { make, MoodCounts, showShares } from "../shared/elements.js";
import { clock, mediaMs } from "../shared/format.js";
import { say } from "../shared/i18n.js";

/** @typedef {import("../shared/story.js").Glance} Glance */

/**
 * The title of a session in an element, also where there is none.
 * @param {HTMLElement} place
 * @param {{title: string | null} | null} session
 */
export function showTitle(place, session) {
  if (session?.title) {
    delete place.dataset.say;
    place.textContent = session.title;
  } else {
    say(place, "session.untitled");
  }
}

export class Card {
  #title = make("span", "card-title");
  #length = make("span", "meta");
  #words = make("p", "card-words");
  #shares = make("div", "shares");
  #counts = new MoodCounts();

  /** @param {string} id */
  constructor(id) {
    const head = make("div", "card-head", make("span", "dot"), this.#title, this.#length);
    this.link = make("a", "card panel", head, this.#words, this.#shares, this.#counts.element);
    this.link.href = sessionPage(id, null);
    this.element = make("li", "", this.link);
    this.#shares.setAttribute("aria-hidden", "true");
  }

  /** @param {Glance} story */
  show(story) {
    showTitle(this.#title, story.session);
    this.#length.textContent = clock(mediaMs(story.heard));
    const words = story.partial?.text || story.lastWords?.text;
    if (words) {
      delete this.#words.dataset.say;
      this.#words.textContent = words;
    } else {
      say(this.#words, "home.live.listening");
    }
    showShares(this.#shares, story.total);
    this.#counts.show(story.total);
  }
}
