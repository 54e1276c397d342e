/** Live sessions for tests of the wall. */

import { Watched } from "../../../dashboards/web/live/watched.js";
import { utterance, window } from "./session-parts.js";

/** @param {string} id @param {object} [more] @returns {any} */
export const session = (id, more) => ({ type: "session", session_id: id, seq: 1, through: 0, state: "live", title: id, tags: [], language: null, ...more });

/** @param {object} more @returns {any} */
export const snapshot = (more) => ({ type: "snapshot", complete: true, more: false, sessions: [], utterances: [], windows: [], partials: [], ...more });

/** @param {string} id @param {number} rev @returns {any} */
export const partial = (id, rev) => ({ type: "partial", session_id: id, first_sample: 0, rev, start_ms: 0, text: `to ${rev}`, committed: 0 });

/** @param {number} start_ms @param {number | null} score @param {object} [more] @returns {any} */
export const judged = (start_ms, score, more) => window(start_ms, { score, neutral: 1, ...more });

/** @param {number} n @param {number} delayMs @param {object} [more] @returns {any} */
export function said(n, delayMs, more) {
  const received = Date.parse("2026-01-02T03:04:05Z");
  const timing = { received_at: new Date(received).toISOString(), classified_at: new Date(received + delayMs).toISOString() };
  return utterance(n, { seq: n, timing, ...more });
}

/**
 * One that is heard up to `heardMs`, with a mean score for each ten seconds before that, the last one last.
 * @param {number} heardMs
 * @param {(number | null)[]} scores
 */
export function watched(heardMs, scores) {
  const made = new Watched();
  made.addSession(session("s", { through: heardMs * 16 }));
  scores.forEach((score, n) => made.addWindow(judged(made.endMs - (scores.length - n) * 10_000, score)));
  made.note(0);
  return made;
}
