/**
 * The cards of the wall, a keyed list. A card is painted when it changed and is in sight. Cards change their places every
 * few seconds at most, and never while somebody points at one or has the focus on it: until then one that comes stands at
 * the end, and one that has ended says so where it is.
 */

import { Card } from "./card.js";
import { place } from "./placing.js";

/** @typedef {import("./wall.js").Entry} Entry */

const ARRANGE_MS = 3000;
/** Whoever has not moved for so long is not aiming at a card: a screen on a wall may have a pointer lying on it. */
const AIM_MS = 60_000;
const SCROLL_MS = 1000;
const NEAR = "300px";

export class Board {
  #list;
  /** @type {Map<string, Card>} */
  #cards = new Map();
  /** @type {Set<string>} Cards in sight, or nearly. */
  #near = new Set();
  /** @type {Set<string>} Cards that are not painted as they are. */
  #stale = new Set();
  #arrangedAtMs = -Infinity;
  #aimedAtMs = -Infinity;
  #scrolledAtMs = -Infinity;
  #observer;

  /**
   * @param {HTMLElement} list
   * @param {() => void} onSight Called when a card comes in sight that is not painted as it is.
   */
  constructor(list, onSight) {
    this.#list = list;
    this.#observer = new IntersectionObserver((seen) => this.#look(seen) && onSight(), { rootMargin: NEAR });
    for (const event of ["pointermove", "pointerdown", "keydown", "focusin"]) {
      list.addEventListener(event, () => (this.#aimedAtMs = performance.now()), { passive: true });
    }
    list.addEventListener("pointerleave", () => (this.#aimedAtMs = this.#hasFocus ? this.#aimedAtMs : -Infinity));
    list.addEventListener("focusout", () => (this.#aimedAtMs = list.matches(":hover") ? this.#aimedAtMs : -Infinity));
    addEventListener("scroll", () => (this.#scrolledAtMs = performance.now()), { passive: true });
  }

  /**
   * @param {Map<string, Entry>} live
   * @param {Iterable<string>} changed
   * @param {string[]} wanted Which are to be seen, in order.
   * @param {boolean} isNow Whether they are to be arranged without delay, as somebody has just asked for it.
   */
  show(live, changed, wanted, isNow) {
    for (const id of changed) this.#stale.add(id);
    const isDue = performance.now() - this.#arrangedAtMs >= ARRANGE_MS && !this.#isHeld;
    if (!this.#isArranged(wanted)) {
      if (isNow || isDue) this.#arrange(wanted);
      else if (this.#isHeld) this.#append(wanted);
    }
    for (const id of this.#stale) {
      const [card, entry] = [this.#cards.get(id), live.get(id)];
      if (card && entry && !this.#near.has(id)) continue; // painted when it comes in sight
      this.#stale.delete(id);
      if (card && entry) card.show(entry);
      else card?.end();
    }
  }

  /**
   * Takes a card away at once.
   * @param {string} id
   */
  remove(id) {
    const card = this.#cards.get(id);
    if (!card) return;
    this.#observer.unobserve(card.element);
    card.element.remove();
    this.#cards.delete(id);
    this.#near.delete(id);
  }

  get #hasFocus() {
    return this.#list.contains(document.activeElement);
  }

  get #isHeld() {
    const now = performance.now();
    return now - this.#aimedAtMs < AIM_MS || now - this.#scrolledAtMs < SCROLL_MS;
  }

  /** @param {string[]} wanted */
  #isArranged(wanted) {
    const { children } = this.#list;
    return children.length === wanted.length && wanted.every((id, n) => this.#cards.get(id)?.element === children[n]);
  }

  /** @param {string[]} wanted */
  #append(wanted) {
    for (const id of wanted) if (!this.#cards.has(id)) this.#list.append(this.#makeCard(id).element);
  }

  /** @param {string[]} wanted */
  #arrange(wanted) {
    this.#arrangedAtMs = performance.now();
    const kept = new Set(wanted);
    for (const id of [...this.#cards.keys()]) if (!kept.has(id)) this.remove(id);
    const cards = wanted.map((id) => (this.#cards.get(id) ?? this.#makeCard(id)).element);
    place(this.#list, cards);
  }

  /** @param {string} id */
  #makeCard(id) {
    const card = new Card(id);
    this.#cards.set(id, card);
    this.#near.add(id); // until it is known better
    this.#stale.add(id);
    this.#observer.observe(card.element);
    return card;
  }

  /** @param {IntersectionObserverEntry[]} seen */
  #look(seen) {
    let hasStale = false;
    for (const { target, isIntersecting } of seen) {
      const id = /** @type {HTMLElement} */ (target).dataset.session ?? "";
      if (isIntersecting) this.#near.add(id);
      else this.#near.delete(id);
      hasStale ||= isIntersecting && this.#stale.has(id);
    }
    return hasStale;
  }
}
