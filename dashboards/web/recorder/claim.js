/** Only one page works on a recording at a time: whoever holds its claim. It ends with the page at the latest. */

/** A page that is just going gives its claim back within this time; a reload finds it free then. */
const PATIENCE_MS = 1000;

/**
 * A call that gives the claim back, or null while another page holds it.
 * @param {string} sessionId
 * @returns {Promise<(() => void) | null>}
 */
export function claim(sessionId) {
  return new Promise((resolve, reject) => {
    const wishes = { signal: AbortSignal.timeout(PATIENCE_MS) };
    const held = () => /** @type {Promise<void>} */ (new Promise((giveBack) => resolve(() => giveBack())));
    navigator.locks.request(`undertone.recording.${sessionId}`, wishes, held).catch((error) => {
      if (error.name === "TimeoutError") resolve(null);
      else reject(error);
    });
  });
}
