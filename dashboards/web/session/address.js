/** Which words of a session an address points at: `#` and their id, or `?at=` and a moment. Pure. */

/** @typedef {{utteranceId: string | null, ms: number, isMarked: boolean}} Target */

const CLOCK = /^(?:(?:(\d{1,2}):)?(\d{1,3}):)?(\d{1,6})$/;
const SAMPLES_PER_MS = 16;

/**
 * @param {string} sessionId
 * @param {{hash: string, search: string}} address A moment is in seconds, or a clock: 754, 12:34, 1:02:03.
 * @returns {Target | null} Null where it points at nothing.
 */
export function readTarget(sessionId, { hash, search }) {
  const utteranceId = hash.slice(1);
  const sample = utteranceId.startsWith(`${sessionId}-`) ? utteranceId.slice(sessionId.length + 1) : "";
  if (/^\d{12}$/.test(sample)) {
    return { utteranceId, ms: Math.floor(Number(sample) / SAMPLES_PER_MS), isMarked: true };
  }
  const found = CLOCK.exec(new URLSearchParams(search).get("at") ?? "");
  if (!found) return null;
  const [hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0));
  return { utteranceId: null, ms: ((hours * 60 + minutes) * 60 + seconds) * 1000, isMarked: true };
}

/**
 * The address of the page with this utterance marked.
 * @param {string} href
 * @param {string} utteranceId
 */
export function addressOf(href, utteranceId) {
  const url = new URL(href);
  url.searchParams.delete("at");
  url.hash = utteranceId;
  return url.href;
}
