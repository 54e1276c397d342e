/** What one asks of the past: the same in the page's address, in its form and in the request. Pure. */

import { normalize } from "../shared/normal-form.js";

/**
 * @typedef {object} Question What is empty is not asked for.
 * @property {string} words
 * @property {string} from The first day, as 2026-09-21 in the reader's place.
 * @property {string} to The last day.
 * @property {string} language
 * @property {string} sentiment
 * @property {string} length
 * @property {string} tag
 * @property {string} sort Only where there are no words: what was said is found newest first.
 */

/** @type {Question} */
export const NOTHING = { words: "", from: "", to: "", language: "", sentiment: "", length: "", tag: "", sort: "" };
/** So long the server takes a question, or a tag. */
const LONGEST = 200;

const MINUTE_MS = 60_000;
/** @type {Record<string, {min?: number, max?: number}>} */
const LENGTHS_MS = {
  short: { max: MINUTE_MS - 1 },
  medium: { min: MINUTE_MS, max: 10 * MINUTE_MS - 1 },
  long: { min: 10 * MINUTE_MS, max: 60 * MINUTE_MS - 1 },
  hours: { min: 60 * MINUTE_MS },
};
const DAY = /^(2\d{3})-(\d{2})-(\d{2})$/;
/** What a value of the address must look like to be more than a slip. */
/** @type {Record<keyof Question, (value: string) => boolean>} */
const IS_SOUND = {
  words: (value) => value !== "",
  from: isDay,
  to: isDay,
  language: (value) => /^[a-z]{2,3}$/.test(value),
  sentiment: (value) => ["positive", "neutral", "negative"].includes(value),
  length: (value) => Object.hasOwn(LENGTHS_MS, value),
  tag: (value) => value !== "",
  sort: (value) => ["negative", "longest"].includes(value),
};
const NAMES = /** @type {(keyof Question)[]} */ (Object.keys(NOTHING));

/**
 * The question in an address; what is no sound part of one counts for nothing.
 * @param {string} search The address from its `?` on.
 * @returns {Question}
 */
export function readQuestion(search) {
  const given = new URLSearchParams(search);
  return sound(Object.fromEntries(NAMES.map((name) => [name, given.get(inAddress(name)) ?? ""])));
}

/**
 * What an address holds from its `?` on; empty where nothing is asked.
 * @param {Question} question
 */
export function writeQuestion(question) {
  const given = NAMES.filter((name) => question[name] !== "").map((name) => [inAddress(name), question[name]]);
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
}

/**
 * The question with what is no sound part of one left out.
 * @param {Record<string, string>} given
 * @returns {Question}
 */
export function sound(given) {
  const question = { ...NOTHING };
  for (const name of NAMES) {
    const value = normalize(given[name] ?? "", LONGEST);
    if (IS_SOUND[name](value)) question[name] = value;
  }
  return question;
}

/**
 * The query of the request, of the search or of the list.
 * @param {Question} question
 * @returns {Record<string, string | null>} Null where nothing is asked.
 */
export function requestOf(question) {
  const { words, from, to, language, sentiment, length, tag, sort } = question;
  const { min, max } = LENGTHS_MS[length] ?? {};
  const filters = {
    from: from && midnight(from, 0),
    to: to && midnight(to, 1),
    language,
    sentiment,
    tag,
    min_length_ms: String(min ?? ""),
    max_length_ms: String(max ?? ""),
  };
  const asked = { ...filters, ...(words ? { q: words } : { state: "ended", sort }) };
  return Object.fromEntries(Object.entries(asked).map(([name, value]) => [name, value || null]));
}

/**
 * How many filters are set.
 * @param {Question} question
 */
export function countFilters(question) {
  return NAMES.filter((name) => name !== "words" && name !== "sort" && question[name] !== "").length;
}

/**
 * The same words, and their order, without filters.
 * @param {Question} question
 * @returns {Question}
 */
export function withoutFilters({ words, sort }) {
  return { ...NOTHING, words, sort };
}

/** @param {keyof Question} name */
function inAddress(name) {
  return name === "words" ? "q" : name;
}

/** @param {string} value */
function isDay(value) {
  const [year, month, day] = (DAY.exec(value) ?? []).slice(1).map(Number);
  return new Date(year, month - 1, day).getDate() === day;
}

/**
 * The beginning of a day where the reader is, as the server reads it.
 * @param {string} day
 * @param {number} after So many days later.
 */
function midnight(day, after) {
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + after).toISOString();
}
