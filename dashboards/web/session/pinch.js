/** Two fingers on something: how much farther apart they get, and where their middle is. Pure. */

/** @typedef {{pointerId: number, clientX: number, clientY: number}} Finger */

const LEAST_PX = 20;

export class Pinch {
  /** @type {Map<number, Finger>} */
  #fingers = new Map();

  /** Whether there are two. */
  get isOn() {
    return this.#fingers.size === 2;
  }

  /** @param {Finger} finger */
  put({ pointerId, clientX, clientY }) {
    this.#fingers.set(pointerId, { pointerId, clientX, clientY });
  }

  /**
   * @param {Finger} finger
   * @returns {{factor: number, x: number} | null} Null for anything but one of two fingers.
   */
  move(finger) {
    if (!this.isOn || !this.#fingers.has(finger.pointerId)) return null;
    const before = this.#apart();
    this.put(finger);
    const [one, other] = this.#fingers.values();
    return { factor: this.#apart() / before, x: (one.clientX + other.clientX) / 2 };
  }

  /** @param {{pointerId: number}} finger */
  lift({ pointerId }) {
    this.#fingers.delete(pointerId);
  }

  #apart() {
    const [one, other] = this.#fingers.values();
    return Math.max(Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY), LEAST_PX);
  }
}
