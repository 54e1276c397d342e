/** The form of a question: it shows one, and tells when the reader makes another of it. */

import { find, make } from "../shared/elements.js";
import { onLanguage, say, sayTongue } from "../shared/i18n.js";
import { normalize } from "../shared/normal-form.js";
import { countFilters, NOTHING, sound } from "./question.js";

/** @typedef {import("./question.js").Question} Question */
/**
 * @callback OnAsk
 * @param {Question} question
 * @param {boolean} isTyping Whether the words are perhaps not done.
 * @returns {void}
 */

/** So long typing rests before it is asked. */
const REST_MS = 300;
/** Those that the recorder offers; others come by an address. */
const LANGUAGES = ["en", "ko", "ja", "zh", "es", "fr", "de"];

export class Form {
  #onAsk;
  /** @type {Map<string, HTMLInputElement | HTMLSelectElement>} */
  #controls = new Map(Object.keys(NOTHING).map((name) => [name, find(`ask-${name}`)]));
  /** @type {HTMLDetailsElement} */
  #filters = find("filters");
  #resting = 0;

  /** @param {OnAsk} onAsk */
  constructor(onAsk) {
    this.#onAsk = onAsk;
    const ask = () => this.#ask(false);
    for (const control of this.#controls.values()) control.addEventListener("change", ask);
    find("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      ask();
    });
    find("ask-words").addEventListener("input", () => {
      clearTimeout(this.#resting);
      this.#resting = setTimeout(() => this.#ask(true), REST_MS);
    });
    this.#offerLanguages();
    onLanguage(() => this.#offerLanguages());
    const wide = matchMedia("(min-width: 62rem)");
    wide.addEventListener("change", () => this.#unfold(wide.matches));
    this.#unfold(wide.matches);
  }

  /** @param {Question} question */
  show(question) {
    clearTimeout(this.#resting);
    this.#offerLanguages(question.language);
    for (const [name, control] of this.#controls) {
      const value = question[/** @type {keyof Question} */ (name)];
      if (normalize(control.value) !== value) control.value = value;
    }
    this.#count(question);
    if (countFilters(question) > 0) this.#unfold(true);
  }

  /**
   * What a tag may be: those that were met so far.
   * @param {Iterable<string>} tags
   */
  offerTags(tags) {
    const list = find("tags");
    const known = new Set([...list.children].map((option) => /** @type {HTMLOptionElement} */ (option).value));
    for (const tag of tags) {
      if (known.has(tag)) continue;
      known.add(tag);
      const option = make("option");
      option.value = tag;
      list.append(option);
    }
  }

  /** @param {boolean} isTyping */
  #ask(isTyping) {
    clearTimeout(this.#resting);
    const question = sound(Object.fromEntries([...this.#controls].map(([name, { value }]) => [name, value])));
    this.#count(question);
    this.#onAsk(question, isTyping);
  }

  /**
   * How many filters are set, where they are folded away.
   * @param {Question} question
   */
  #count(question) {
    const count = countFilters(question);
    say(find("filters-name"), count > 0 ? "history.filters.set" : "history.filters", { count });
    find("clear").hidden = count === 0;
    find("sorting").hidden = question.words !== "";
  }

  /** @param {boolean} isOpen On a wide screen they are never folded away. */
  #unfold(isOpen) {
    if (isOpen) this.#filters.open = true;
  }

  /** @param {string} [asked] A language that must be among them. */
  #offerLanguages(asked = this.#controls.get("language")?.value) {
    const select = /** @type {HTMLSelectElement} */ (this.#controls.get("language"));
    const codes = !asked || LANGUAGES.includes(asked) ? LANGUAGES : [...LANGUAGES, asked];
    const options = codes.map((code) => {
      const option = make("option", "", sayTongue(code));
      option.value = code;
      return option;
    });
    const { value } = select;
    select.replaceChildren(select.options[0], ...options);
    select.value = value;
  }
}
