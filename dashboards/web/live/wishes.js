/**
 * Which live sessions somebody wants to see, and in which order. It stands in the page's address, so that a screen on the
 * wall comes back as it was. Pure.
 */

import { normalize } from "../shared/normal-form.js";

/** @typedef {import("./wall.js").Entry} Entry */
/** @typedef {{sort: "attention" | "newest", tag: string | null, language: string | null}} Wishes */

/**
 * @param {string} query Of the page's address.
 * @returns {Wishes}
 */
export function readWishes(query) {
  const given = new URLSearchParams(query);
  const sort = given.get("sort") === "newest" ? "newest" : "attention";
  return { sort, tag: normalize(given.get("tag") ?? "") || null, language: given.get("language") };
}

/**
 * @param {Wishes} wishes
 * @returns {string} A query, empty where nothing special is wished.
 */
export function writeWishes({ sort, tag, language }) {
  const query = new URLSearchParams();
  if (sort !== "attention") query.set("sort", sort);
  if (tag) query.set("tag", tag);
  if (language) query.set("language", language);
  return query.size === 0 ? "" : `?${query}`;
}

/**
 * The sessions that are wished for, in order: what needs most attention first, or all the newest first.
 * @param {Map<string, Entry>} live
 * @param {Wishes} wishes
 * @returns {string[]}
 */
export function arrange(live, { sort, tag, language }) {
  return [...live]
    .filter(([, { watched: { session } }]) => (!tag || session?.tags.some((each) => normalize(each) === tag)) && (!language || session?.language === language))
    .sort(([a, one], [b, other]) => {
      const more = sort === "attention" ? other.standing.rank - one.standing.rank : 0;
      return more || (a < b ? 1 : -1);
    })
    .map(([id]) => id);
}

/**
 * What there is to choose from among the live ones, and what is chosen in any case.
 * @param {Iterable<Entry>} entries
 * @param {Wishes} wishes
 */
export function choices(entries, { tag, language }) {
  const tags = new Set(tag ? [tag] : []);
  const languages = new Set(language ? [language] : []);
  for (const { watched: { session } } of entries) {
    for (const each of session?.tags ?? []) tags.add(normalize(each));
    if (session?.language) languages.add(session.language);
  }
  return { tags: [...tags].sort(), languages: [...languages].sort() };
}
