/** Keeps the screen on while it is wanted, since a locked phone stops the microphone. Browsers grant it in sight only. */

export class WakeLock {
  #isWanted = false;
  /** @type {WakeLockSentinel | null} */
  #sentinel = null;
  /** Whether the device may fall asleep though it should not: the browser cannot prevent that, or does not want to. */
  isMissing = false;
  onChange = () => {};

  constructor() {
    document.addEventListener("visibilitychange", () => void this.#follow());
  }

  /** @param {boolean} isWanted */
  want(isWanted) {
    if (isWanted === this.#isWanted) return;
    this.#isWanted = isWanted;
    void this.#follow();
  }

  async #follow() {
    if (!this.#isWanted) {
      this.isMissing = false;
      await this.#sentinel?.release();
      this.#sentinel = null;
      return;
    }
    if (document.hidden || this.#sentinel?.released === false) return;
    try {
      this.#sentinel = await navigator.wakeLock.request("screen");
      this.isMissing = false;
    } catch {
      this.isMissing = true; // there is none, or the battery is low
    }
    if (!this.#isWanted) await this.#follow(); // it was given up meanwhile
    this.onChange();
  }
}
