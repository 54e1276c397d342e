/** Keeps the screen on while it is wanted, since a locked phone stops the microphone. Browsers grant it in sight only. */

export class WakeLock {
  #isWanted = false;
  /** @type {WakeLockSentinel | null} */
  #sentinel = null;
  #onMissing;

  /**
   * @param {(isMissing: boolean) => void} onMissing Told whether the device may fall asleep though it should not: the
   * browser cannot prevent that, or does not want to.
   */
  constructor(onMissing) {
    this.#onMissing = onMissing;
    document.addEventListener("visibilitychange", () => void this.#follow());
  }

  /** @param {boolean} isWanted */
  want(isWanted) {
    if (isWanted === this.#isWanted) return;
    this.#isWanted = isWanted;
    void this.#follow();
  }

  async #follow() {
    if (!this.#isWanted) return this.#giveBack();
    if (document.hidden || this.#isHeld()) return;
    const sentinel = await navigator.wakeLock?.request("screen").catch(() => null);
    if (!sentinel) return this.#onMissing(this.#isWanted); // there is none, or the battery is low
    if (!this.#isWanted || this.#isHeld()) return void sentinel.release(); // it was given up meanwhile, or came twice
    this.#sentinel = sentinel;
    // a page out of sight always loses it, and asks again when it is seen
    sentinel.addEventListener("release", () => this.#onMissing(this.#isWanted && !document.hidden && !this.#isHeld()));
    this.#onMissing(false);
  }

  #giveBack() {
    void this.#sentinel?.release();
    this.#sentinel = null;
    this.#onMissing(false);
  }

  #isHeld() {
    return this.#sentinel?.released === false;
  }
}
