/** The reader's place in a list that scrolls: what is in sight, and keeping it there while the list changes round it. */

export class Place {
  #scroller;
  #list;
  /** @type {{row: HTMLElement, y: number} | null} The first row in sight, and how far below the upper edge it is. */
  #held = null;
  /** Of the scroller, when its rows were last brought to where they belong. */
  #width = 0;

  /**
   * @param {HTMLElement} scroller What scrolls.
   * @param {HTMLElement} list Of rows, one below the other.
   */
  constructor(scroller, list) {
    this.#scroller = scroller;
    this.#list = list;
  }

  /** How far the list goes on out of sight, in pixels. */
  get beyond() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    return { above: scrollTop, below: scrollHeight - scrollTop - clientHeight };
  }

  /**
   * The first and the last row in sight.
   * @returns {[HTMLElement, HTMLElement] | null}
   */
  get inSight() {
    const { scrollTop, clientHeight } = this.#scroller;
    const [first, last] = [this.#rowBelow(scrollTop), this.#rowBelow(scrollTop + clientHeight)];
    return first && [first, last ?? /** @type {HTMLElement} */ (this.#list.lastElementChild)];
  }

  remember() {
    if (this.#scroller.clientWidth !== this.#width) this.restore(); // what is in sight now is by chance
    const { scrollTop } = this.#scroller;
    const row = this.#rowBelow(scrollTop);
    this.#held = row && { row, y: this.#top(row) - scrollTop };
  }

  /** Brings what was remembered back to where it was, after a change of the list or of its width. */
  restore() {
    this.#width = this.#scroller.clientWidth;
    if (this.#held?.row.isConnected) this.#scroller.scrollTop = this.#top(this.#held.row) - this.#held.y;
  }

  /** @param {HTMLElement} row Comes into the middle. */
  centre(row) {
    const { clientHeight } = this.#scroller;
    this.#scroller.scrollTop = this.#top(row) - Math.max((clientHeight - row.offsetHeight) / 2, 0);
    this.remember();
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }

  /** @param {HTMLElement} row */
  #top(row) {
    const { top } = this.#scroller.getBoundingClientRect();
    return row.getBoundingClientRect().top - top + this.#scroller.scrollTop;
  }

  /**
   * The first row that ends below a height in the list.
   * @param {number} y
   * @returns {HTMLElement | null}
   */
  #rowBelow(y) {
    const rows = this.#list.children;
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = /** @type {HTMLElement} */ (rows[middle]);
      if (this.#top(row) + row.offsetHeight > y) high = middle;
      else low = middle + 1;
    }
    return /** @type {HTMLElement | null} */ (rows[low] ?? null);
  }
}
