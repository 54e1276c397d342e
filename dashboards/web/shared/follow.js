/**
 * Whether a reader follows the end of something that grows. Scrolling up is reading back: the end no longer pulls, and
 * what comes meanwhile is counted. Coming back to the end, or asking for it, is following again.
 */

/** So near the end counts as there. */
export const NEAR_PX = 40;

export class Follow {
  isOn = true;
  /** How many came since the reader left the end. */
  missed = 0;
  #top = 0;

  /**
   * The reader, or the page for them, has scrolled.
   * @param {{top: number, below: number}} place How much lies above and below of what is seen, in pixels.
   */
  scroll({ top, below }) {
    const wentUp = top < this.#top - 1;
    this.#top = top;
    if (wentUp && below > 1) this.isOn = false;
    else if (!wentUp && below <= NEAR_PX) this.jump();
  }

  /**
   * The page itself has moved what is seen, as when something was added above: that is no reading back.
   * @param {number} top
   */
  settle(top) {
    this.#top = top;
  }

  /** @param {number} count How many came at the end. */
  arrive(count) {
    if (!this.isOn) this.missed += count;
  }

  /** To the end, and on with it. */
  jump() {
    this.isOn = true;
    this.missed = 0;
  }

  /** @param {number} top Of somewhere else, where the page has brought the reader. */
  leave(top) {
    this.isOn = false;
    this.#top = top;
  }
}
