/**
 * How far the reader has come, kept with each step of the browser's history: whoever comes back from a session, goes
 * back to a former question or loads the page anew finds as much of the list, and is at the same place in it.
 */

const REST_MS = 150;

export class Bookmark {
  #resting = 0;

  constructor() {
    history.scrollRestoration = "manual"; // the browser would scroll before the list is there
    addEventListener("scroll", () => {
      clearTimeout(this.#resting);
      this.#resting = setTimeout(() => this.#keep({ top: scrollY }), REST_MS);
    });
    for (const parting of ["click", "pagehide"]) addEventListener(parting, () => this.#keep({ top: scrollY }), true);
  }

  /** How many were shown, and how far the page was scrolled. */
  get place() {
    return { count: Number(history.state?.count ?? 0), top: Number(history.state?.top ?? 0) };
  }

  /** @param {number} count So many are shown now. */
  grow(count) {
    this.#keep({ count });
  }

  /**
   * To another address, at its beginning.
   * @param {string} address
   * @param {boolean} isSameStep Whether it takes the place of the present one.
   */
  turn(address, isSameStep) {
    clearTimeout(this.#resting);
    if (!isSameStep) this.#keep({ top: scrollY });
    if (isSameStep) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
  }

  /** @param {{count?: number, top?: number}} some */
  #keep(some) {
    history.replaceState({ ...history.state, ...some }, "");
  }
}
