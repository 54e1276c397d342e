/** Tags as one writes them in a line: pure. */

import { normalize } from "../shared/normal-form.js";

/** What the server takes. */
const MOST_TAGS = 20;
const LONGEST_TAG = 200;

/**
 * The tags between commas, each once, in order.
 * @param {string} line
 * @returns {string[]}
 */
export function parseTags(line) {
  const tags = line.split(/[,，、]/).map((tag) => normalize(tag, LONGEST_TAG));
  return [...new Set(tags.filter(Boolean))].slice(0, MOST_TAGS);
}
