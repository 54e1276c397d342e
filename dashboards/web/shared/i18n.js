/**
 * The page's words in the reader's language, from `messages/*.json`.
 *
 * An element remembers which message it shows (`data-say`, and its values in `data-values`), so a change of language
 * says everything anew in place, in the middle of a recording too.
 */

import { fill } from "./format.js";

/** @typedef {"en" | "ko"} Language */
/** @typedef {Record<string, string | number>} Values */

/** @type {Language[]} */
export const LANGUAGES = ["en", "ko"];
const STORED_AS = "undertone.language";

/** @typedef {Record<string, string>} Messages */

/** @type {Messages} */
let messages = {};
/** @type {Map<Language, Messages>} */
const loaded = new Map();
/** @type {Set<() => void>} */
const listeners = new Set();

/** @returns {Language} */
export function language() {
  return document.documentElement.lang === "ko" ? "ko" : "en";
}

/**
 * Loads the messages of the document's language and says all that is marked. To be awaited before anything else. The
 * other languages come behind it, since one of them may be chosen when the network is away.
 */
export async function startLanguage() {
  messages = await load(language());
  sayAll();
  for (const each of LANGUAGES) void load(each).catch(() => {}); // asked for again when it is chosen
}

/**
 * Says everything in another language; nothing changes if that cannot be had.
 * @param {Language} chosen
 */
export async function chooseLanguage(chosen) {
  messages = await load(chosen);
  localStorage.setItem(STORED_AS, chosen);
  document.documentElement.lang = chosen;
  sayAll();
}

/**
 * @param {Language} wanted
 * @returns {Promise<Messages>}
 */
async function load(wanted) {
  const known = loaded.get(wanted);
  if (known) return known;
  const response = await fetch(new URL(`../messages/${wanted}.json`, import.meta.url));
  if (!response.ok) throw new Error(`there are no messages in ${wanted}: ${response.status}`);
  const found = await response.json();
  loaded.set(wanted, found);
  return found;
}

/**
 * Calls after every change of language, for what is not marked in the document.
 * @param {() => void} listener
 */
export function onLanguage(listener) {
  listeners.add(listener);
}

/**
 * A message in the current language; numbers among the values are written its way.
 * @param {string} key
 * @param {Values} [values]
 */
export function text(key, values = {}) {
  return fill(messages[key] ?? key, values, language());
}

/**
 * Shows a message in an element, and again after a change of language.
 * @param {Element} element
 * @param {string} key
 * @param {Values} [values]
 */
export function say(element, key, values) {
  const shown = /** @type {HTMLElement} */ (element);
  const packed = JSON.stringify(values ?? {});
  if (shown.dataset.say === key && shown.dataset.values === packed && shown.textContent) return;
  shown.dataset.say = key;
  shown.dataset.values = packed;
  shown.textContent = text(key, values);
}

/**
 * Names an element that shows a picture only.
 * @param {Element} element
 * @param {string} key
 */
export function sayLabel(element, key) {
  /** @type {HTMLElement} */ (element).dataset.sayLabel = key;
  element.setAttribute("aria-label", text(key));
  element.setAttribute("title", text(key));
}

function sayAll() {
  for (const element of document.querySelectorAll("[data-say]")) {
    const { say: key, values } = /** @type {HTMLElement} */ (element).dataset;
    element.textContent = text(/** @type {string} */ (key), JSON.parse(values ?? "{}"));
  }
  for (const element of document.querySelectorAll("[data-say-label]")) {
    sayLabel(element, /** @type {HTMLElement} */ (element).dataset.sayLabel ?? "");
  }
  for (const element of document.querySelectorAll("[data-say-placeholder]")) {
    element.setAttribute("placeholder", text(/** @type {HTMLElement} */ (element).dataset.sayPlaceholder ?? ""));
  }
  for (const element of document.querySelectorAll("[data-time]")) {
    element.textContent = sayTime(/** @type {HTMLElement} */ (element).dataset.time ?? "");
  }
  for (const element of document.querySelectorAll("[data-tongue]")) {
    element.textContent = sayTongue(/** @type {HTMLElement} */ (element).dataset.tongue ?? "");
  }
  for (const listener of listeners) listener();
}

/**
 * A moment as people of this language and place write it.
 * @param {string} iso
 */
export function sayTime(iso) {
  return new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/**
 * The name of a language, in the reader's; its code where it has none.
 * @param {string} code
 */
export function sayTongue(code) {
  return new Intl.DisplayNames(language(), { type: "language" }).of(code) ?? code;
}
