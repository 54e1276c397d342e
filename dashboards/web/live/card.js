/** A live session at a glance. It changes only what is different, since there may be a hundred, ten times a second. */

import { sessionPage } from "../shared/api.js";
import { icon, make, words } from "../shared/elements.js";
import { clock, mediaMs, seconds } from "../shared/format.js";
import { say, sayTongue } from "../shared/i18n.js";
import { at } from "../shared/root.js";
import { LATE_MS } from "./attention.js";
import { tail } from "./last-words.js";
import { MoodLine } from "./mood-line.js";

/** @typedef {import("./wall.js").Entry} Entry */

const MOST_LETTERS = 120;

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
  #title = make("a", "card-title");
  #reasons = make("span", "unseen");
  #need = make("span", "card-need", icon("attention"), this.#reasons);
  #length = make("span", "meta");
  #language = make("span", "card-language");
  #tags = make("span", "card-tags");
  #words = make("p", "card-words");
  #line = new MoodLine();
  #moodIcon = icon("unknown");
  #moodWord = make("span");
  #trend = make("span", "card-trend");
  #mood = make("span", "chip", this.#moodIcon, this.#moodWord, this.#trend);
  #pace = make("span", "card-pace");
  /** What is shown, by part. @type {Map<string, string>} */
  #shown = new Map();

  /** @param {string} id */
  constructor(id) {
    this.#title.href = sessionPage(id, null);
    const head = make("div", "card-head", make("span", "dot"), make("h2", "", this.#title), this.#need, this.#length);
    const facts = make("p", "card-facts", this.#language, this.#tags);
    const foot = make("div", "card-foot", this.#mood, this.#pace);
    this.element = make("li", "card panel", head, facts, this.#words, this.#line.element, foot);
    this.element.dataset.session = id;
  }

  /** @param {Entry} entry */
  show({ watched, standing }) {
    const { session, partial, lastWords, recent, endMs, delayMs } = watched;
    const { mood, trend, needs, unheardMs } = standing;
    const spoken = partial?.text || lastWords?.text || "";
    const last = recent.at(-1);
    const isUnheard = needs.includes("unheard");
    this.#update("title", session?.title ?? "", () => showTitle(this.#title, session));
    this.#update("length", clock(mediaMs(watched.heard)), (length) => (this.#length.textContent = length));
    this.#update("language", session?.language ?? "", (code) => this.#showLanguage(code));
    this.#update("tags", (session?.tags ?? []).join(" · "), (tags) => (this.#tags.textContent = tags));
    this.#update("words", spoken, () => this.#showWords(spoken, (partial ?? lastWords)?.language ?? ""));
    this.#update("line", `${endMs} ${last?.start_ms} ${last?.seq}`, () => this.#line.show(watched));
    this.#update("mood", mood ?? "unknown", (name) => this.#showMood(name));
    this.#update("trend", trend === "up" || trend === "down" ? trend : "", (way) => this.#showTrend(way));
    this.#update("pace", isUnheard ? `!${clock(unheardMs)}` : String(delayMs && seconds(delayMs)), () => {
      if (isUnheard) return say(this.#pace, "wall.unheard", { time: clock(unheardMs) });
      if (delayMs !== null) return say(this.#pace, "wall.delay", { seconds: seconds(delayMs) });
      delete this.#pace.dataset.say;
      this.#pace.textContent = "";
    });
    this.#update("needs", needs.join(" "), () => {
      this.element.dataset.needs = needs.join(" ");
      this.#need.hidden = needs.length === 0;
      this.#reasons.replaceChildren(words("wall.need"), ...needs.flatMap((need) => [" ", words(`wall.need.${need}`)]));
    });
    this.#pace.classList.toggle("is-late", isUnheard || (delayMs ?? 0) > LATE_MS);
    this.#update("state", "live", () => delete this.element.dataset.over);
  }

  /** Says that it has ended; it keeps its place until the cards are arranged anew. */
  end() {
    this.#update("state", "ended", () => {
      this.element.dataset.over = "";
      this.#need.hidden = true;
      say(this.#pace, "state.ended");
      for (const part of ["pace", "needs"]) this.#shown.delete(part);
    });
  }

  /**
   * Shows a part if it is different.
   * @param {string} part
   * @param {string} value
   * @param {(value: string) => void} show
   */
  #update(part, value, show) {
    if (this.#shown.get(part) === value) return;
    this.#shown.set(part, value);
    show(value);
  }

  /** @param {string} code */
  #showLanguage(code) {
    this.#language.dataset.tongue = code;
    this.#language.textContent = code && sayTongue(code);
    if (!code) delete this.#language.dataset.tongue;
  }

  /**
   * @param {string} spoken
   * @param {string} language
   */
  #showWords(spoken, language) {
    if (!spoken) return say(this.#words, "wall.listening");
    delete this.#words.dataset.say;
    this.#words.textContent = tail(spoken, MOST_LETTERS);
    this.#words.lang = language;
  }

  /** @param {string} name */
  #showMood(name) {
    this.#mood.className = `chip chip-${name}`;
    this.#moodIcon.firstElementChild?.setAttribute("href", at(`icons.svg#${name}`));
    say(this.#moodWord, name === "unknown" ? "wall.mood.none" : `mood.${name}`);
  }

  /** @param {string} way Up, down, or empty for neither. */
  #showTrend(way) {
    this.#trend.hidden = way === "";
    if (way) say(this.#trend, `wall.trend.${way}`);
  }
}
