/**
 * Limits the streams of events that all windows of a browser hold at once. Over HTTP/1.1 a browser opens six connections
 * to one origin. Six streams would take all of them, and no page would load any more. A window beyond the limit says
 * that it waits, and goes on when another one is closed or hidden.
 */

import { make, words } from "./elements.js";

/** One connection of six is for everything else. */
const SLOTS = 5;
const NOTICE_AFTER_MS = 300;

/**
 * Whether streams take connections from one another. HTTP/2 carries them all over one, and takes TLS. What comes from
 * the cache names no protocol, so all that was loaded counts.
 */
export function isLimited() {
  if (globalThis.navigator?.locks === undefined) return false;
  if (location.protocol === "http:") return true;
  const loaded = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return loaded.some((each) => /** @type {PerformanceResourceTiming} */ (each).nextHopProtocol.startsWith("http/1"));
}

/**
 * Takes a slot when there is one, and says on the page if that takes its time.
 * @param {AbortSignal} signal Ends the wait.
 * @param {(giveBack: () => void) => void} onTaken The slot also ends with the page.
 */
export function takeSlot(signal, onTaken) {
  const race = new AbortController();
  const notice = make("p", "notice", words("stream.waiting"));
  notice.setAttribute("role", "status");
  const patience = setTimeout(() => document.querySelector("main")?.prepend(notice), NOTICE_AFTER_MS);
  race.signal.addEventListener("abort", () => {
    clearTimeout(patience);
    notice.remove();
  });
  signal.addEventListener("abort", () => race.abort());
  const hold = () => {
    if (race.signal.aborted) return null; // another slot came first
    race.abort();
    return new Promise((giveBack) => onTaken(() => giveBack(null)));
  };
  for (let slot = 0; slot < SLOTS; slot += 1) {
    navigator.locks.request(`undertone.stream.${slot}`, { signal: race.signal }, hold).catch((error) => {
      if (error.name !== "AbortError") throw error;
    });
  }
}
