/** A session in the list: what it is, what was found in it, and what can be done with it. */

import { sessionPage } from "../shared/api.js";
import { icon, make, MoodCounts, sentimentChip, showShares, words } from "../shared/elements.js";
import { clock, mediaMs, signed } from "../shared/format.js";
import { language, say, sayLabel, sayTime, sayTongue } from "../shared/i18n.js";
import { deleteButton, exportLinks } from "../shared/keeping.js";

/** @typedef {import("../shared/vocabulary.js").Session} Session */
/** @typedef {import("../shared/vocabulary.js").Window} Window */
/** @typedef {import("../shared/vocabulary.js").Hit} Hit */
/** @typedef {import("./results.js").Found} Found */
/**
 * @typedef {object} Deeds
 * @property {((session: Session) => void) | null} onDelete Null for who may not.
 * @property {(tag: string) => void} onTag
 */

export class Entry {
  element = make("li", "entry");
  #found;
  #hits = make("ol", "hits");

  /**
   * @param {Found} found
   * @param {Deeds} deeds
   */
  constructor(found, deeds) {
    this.#found = found;
    const { session, window } = found;
    this.#hits.hidden = true;
    const doings = makeDoings(session, deeds);
    const more = makeOpener(doings, deeds.onDelete ? "history.doings" : "keeping.export", session.title);
    const head = make("div", "entry-head", makeTitle(session), more, makeFacts(session, deeds.onTag));
    if (window) head.append(makeFigures(window));
    this.element.append(head, this.#hits, doings);
  }

  /** Shows the hits that are not shown yet: there are never fewer. */
  show() {
    const { hits } = this.#found;
    this.#hits.append(...hits.slice(this.#hits.childElementCount).map(makeHit));
    this.#hits.hidden = hits.length === 0;
  }
}

/** @param {Session} session */
function makeTitle({ session_id, title }) {
  const link = make("a", "entry-link", title ?? words("session.untitled"));
  link.href = sessionPage(session_id, null);
  return make("h2", "entry-title", link);
}

/**
 * When, how long, in which language, and its tags.
 * @param {Session} session
 * @param {(tag: string) => void} onTag
 */
function makeFacts({ started_at, created_at, through, language, tags, state }, onTag) {
  const began = started_at ?? created_at;
  const when = make("time", "meta", sayTime(began));
  when.dateTime = began;
  when.dataset.time = began;
  const facts = make("p", "entry-facts", when, make("span", "meta", clock(mediaMs(through))));
  if (language) {
    const tongue = make("span", "meta", sayTongue(language));
    tongue.dataset.tongue = language;
    facts.append(tongue);
  }
  if (state === "live") {
    const badge = words("state.live");
    badge.className = "badge";
    badge.dataset.state = state;
    facts.append(badge);
  }
  for (const tag of tags) {
    const button = make("button", "tag", tag);
    button.type = "button";
    button.addEventListener("click", () => onTag(tag));
    facts.append(button);
  }
  return facts;
}

/** @param {Window} window The whole of it. */
function makeFigures(window) {
  const counts = new MoodCounts();
  counts.show(window);
  const shares = make("div", "shares");
  shares.setAttribute("aria-hidden", "true");
  showShares(shares, window);
  const score = make("p", "meta");
  if (window.score !== null) say(score, "readout.score", { score: signed(window.score, language()) });
  return make("div", "entry-figures", shares, counts.element, score);
}

/** @param {Hit} hit */
function makeHit({ utterance, parts }) {
  const spoken = make("span", "hit-text", ...parts.map(({ text, match }) => (match ? make("mark", "", text) : text)));
  if (utterance.language) spoken.lang = utterance.language;
  const time = make("span", "row-time", clock(utterance.start_ms));
  const link = make("a", "hit", time, spoken, sentimentChip(utterance));
  link.href = `${sessionPage(utterance.session_id, null)}#${utterance.utterance_id}`;
  return make("li", "", link);
}

/**
 * @param {Session} session
 * @param {Deeds} deeds
 */
function makeDoings(session, { onDelete }) {
  const doings = make("div", "keeping", exportLinks(session.session_id, null));
  if (onDelete) doings.append(deleteButton(() => onDelete(session)));
  doings.id = `doings-${session.session_id}`;
  doings.hidden = true;
  return doings;
}

/**
 * The button that opens what can be done with a session.
 * @param {HTMLElement} doings
 * @param {string} name
 * @param {string | null} title
 */
function makeOpener(doings, name, title) {
  const button = make("button", "quiet entry-more", icon("more"));
  button.type = "button";
  sayLabel(button, name);
  if (title) button.setAttribute("aria-description", title);
  button.setAttribute("aria-controls", doings.id);
  const open = (/** @type {boolean} */ isOpen) => {
    doings.hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
  };
  button.addEventListener("click", () => open(doings.hidden === true));
  doings.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    open(false);
    button.focus();
  });
  open(false);
  return button;
}
