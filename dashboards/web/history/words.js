/** Which message says how it stands with a question: pure. */

/** @typedef {import("./results.js").Results} Results */
/** @typedef {import("../shared/i18n.js").Values} Values */
/** @typedef {{key: string, values: Values}} Saying */

/** What the server refuses, and what to do about it. */
/** @type {Record<string, string>} */
const REFUSED = {
  search_too_broad: "history.broad",
  request_invalid: "history.invalid",
  history_away: "history.away",
  not_ready: "history.away",
  too_slow: "history.late",
};

const COUNTED = {
  hits: ["history.hits", "history.hits.first"],
  sessions: ["history.sessions", "history.sessions.first"],
};

/**
 * How much there is, or that it takes time; null while what was said before still holds.
 * @param {Pick<Results, "found" | "count" | "hasMore" | "isAsking" | "isSlow" | "trouble" | "question">} results
 * @returns {Saying | null}
 */
export function sayState({ found, count, hasMore, isAsking, isSlow, trouble, question }) {
  if (isSlow) return { key: "history.slow", values: {} };
  if (isAsking) return found.length === 0 ? { key: "stream.loading", values: {} } : null;
  if (found.length === 0) return trouble ? null : { key: "history.nothing", values: {} };
  const [whole, first] = COUNTED[question?.words ? "hits" : "sessions"];
  const key = hasMore ? first : whole;
  return { key, values: { hits: count, sessions: found.length } };
}

/**
 * What is wrong, and what one can do.
 * @param {import("../shared/api.js").ApiError} trouble
 * @returns {Saying}
 */
export function sayTrouble({ status, code, message }) {
  const key = REFUSED[code] ?? (status === 0 ? "history.offline" : status === 429 ? "history.busy" : "history.failed");
  return { key, values: key === "history.failed" ? { reason: message } : {} };
}
