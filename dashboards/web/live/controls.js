/** The wishes as a reader sets them: an order, a tag, a language. The choices are those of the live sessions. */

import { find, make } from "../shared/elements.js";
import { say, sayTongue } from "../shared/i18n.js";
import { choices, readWishes, writeWishes } from "./wishes.js";

/** @typedef {import("./wall.js").Entry} Entry */

export class Controls {
  wishes = readWishes(location.search);
  /** @type {HTMLSelectElement} */
  #sort = find("sort");
  /** @type {HTMLSelectElement} */
  #tag = find("tag");
  /** @type {HTMLSelectElement} */
  #language = find("spoken");
  #offered = "";

  /** @param {() => void} onChange */
  constructor(onChange) {
    const change = () => {
      const sort = this.#sort.value === "newest" ? "newest" : "attention";
      this.wishes = { sort, tag: this.#tag.value || null, language: this.#language.value || null };
      history.replaceState(null, "", location.pathname + writeWishes(this.wishes));
      onChange();
    };
    for (const select of [this.#sort, this.#tag, this.#language]) select.addEventListener("change", change);
    find("all").addEventListener("click", () => {
      this.#tag.value = this.#language.value = "";
      change();
      this.#sort.focus(); // what was clicked goes
    });
    this.#sort.value = this.wishes.sort;
  }

  /** @param {Iterable<Entry>} entries Of all that are live. */
  offer(entries) {
    const { tags, languages } = choices(entries, this.wishes);
    const offered = JSON.stringify([tags, languages]);
    if (offered === this.#offered) return;
    this.#offered = offered;
    fill(this.#tag, "wall.tag.all", this.wishes.tag, tags.map((tag) => new Option(tag, tag)));
    fill(this.#language, "wall.language.all", this.wishes.language, languages.map(makeLanguage));
  }
}

/** @param {string} code */
function makeLanguage(code) {
  const option = new Option(sayTongue(code), code);
  option.dataset.tongue = code;
  return option;
}

/**
 * @param {HTMLSelectElement} select
 * @param {string} everything Message of the first choice.
 * @param {string | null} chosen
 * @param {HTMLOptionElement[]} options
 */
function fill(select, everything, chosen, options) {
  const all = make("option");
  all.value = "";
  say(all, everything);
  select.replaceChildren(all, ...options);
  select.value = chosen ?? "";
  select.disabled = options.length === 0;
}
