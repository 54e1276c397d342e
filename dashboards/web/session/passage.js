/**
 * The stretch of a session's utterances that is at hand: in order of time, without a gap, and never more than a reader
 * needs, however long the session. It begins as the end of a live session or anywhere in a past one, grows at both sides
 * as the reader comes near them, and lets go at the other.
 */

/** @typedef {import("../shared/vocabulary.js").Utterance} Utterance */

export const MOST = 800;
/** While more comes, so many are kept before any is let go: coming and going at once would be seen as a jump. */
export const MOST_IN_HASTE = 1200;
const SPARE = 100;

export class Passage {
  /** @type {Utterance[]} */
  utterances = [];
  /** Whether there may be more before these. */
  hasEarlier = false;
  /** Whether there are more after these. */
  hasLater = false;

  /**
   * Another stretch instead of this one.
   * @param {Utterance[]} utterances
   * @param {{hasEarlier: boolean, hasLater: boolean}} around
   */
  turnTo(utterances, { hasEarlier, hasLater }) {
    this.utterances = [...utterances];
    this.hasEarlier = hasEarlier;
    this.hasLater = hasLater;
  }

  /**
   * What lies right before; beyond `MOST` the end is let go.
   * @param {Utterance[]} page
   * @param {boolean} hasMore
   */
  addEarlier(page, hasMore) {
    const first = this.utterances[0]?.utterance_id;
    const fresh = first ? page.filter(({ utterance_id }) => utterance_id < first) : page;
    const all = [...fresh, ...this.utterances];
    this.utterances = all.slice(0, MOST);
    this.hasLater ||= all.length > MOST;
    this.hasEarlier = hasMore;
  }

  /**
   * What lies right after; beyond `MOST` the beginning is let go.
   * @param {Utterance[]} page
   * @param {boolean} hasMore
   */
  addLater(page, hasMore) {
    const last = this.utterances.at(-1)?.utterance_id;
    const fresh = last ? page.filter(({ utterance_id }) => utterance_id > last) : page;
    const all = [...this.utterances, ...fresh];
    this.utterances = all.slice(-MOST);
    this.hasEarlier ||= all.length > MOST;
    this.hasLater = hasMore;
  }

  /**
   * Takes what the live view has, where it joins on to this. A reader who follows goes along with the end; under one who
   * does not, nothing is let go: what has no room is later.
   * @param {{utterances: Utterance[], hasEarlier: boolean}} live The last utterances of the session.
   * @param {boolean} follows
   */
  meet(live, follows) {
    const last = this.utterances.at(-1)?.utterance_id ?? "";
    const [first] = live.utterances;
    if (!first) return;
    if (!last) return this.turnTo(live.utterances, { hasEarlier: live.hasEarlier, hasLater: false });
    const joins = last >= first.utterance_id || !live.hasEarlier;
    if (!joins && follows) return this.turnTo(live.utterances, { hasEarlier: true, hasLater: false });
    const newest = live.utterances.at(-1)?.utterance_id ?? "";
    if (newest <= last) this.hasLater = false;
    else if (!joins) this.hasLater = true;
    else this.#append(live.utterances.filter(({ utterance_id }) => utterance_id > last), follows);
  }

  /** Whether there is enough that `trim` would let go. */
  get isLong() {
    return this.utterances.length > MOST + SPARE;
  }

  /** Lets the beginning go under a reader who follows; to be called when nothing comes. */
  trim() {
    if (this.isLong) this.turnTo(this.utterances.slice(-MOST), { hasEarlier: true, hasLater: this.hasLater });
  }

  /**
   * The utterance that is being said at a moment, or else the last one before; the first, if there is none.
   * @param {number} ms
   * @returns {Utterance | null}
   */
  at(ms) {
    const { utterances } = this;
    let [low, high] = [0, utterances.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (utterances[middle].start_ms <= ms) low = middle + 1;
      else high = middle;
    }
    return utterances[Math.max(low - 1, 0)] ?? null;
  }

  /** @param {string} utteranceId */
  find(utteranceId) {
    return this.utterances.find(({ utterance_id }) => utterance_id === utteranceId) ?? null;
  }

  /**
   * Whether what is said at this moment is at hand.
   * @param {number} ms
   */
  covers(ms) {
    const { utterances, hasEarlier, hasLater } = this;
    if (utterances.length === 0) return !hasEarlier && !hasLater;
    const isAfterStart = !hasEarlier || ms >= utterances[0].start_ms;
    return isAfterStart && (!hasLater || ms <= utterances[utterances.length - 1].end_ms);
  }

  /**
   * @param {Utterance[]} fresh
   * @param {boolean} follows
   */
  #append(fresh, follows) {
    const room = follows ? fresh.length : Math.max(MOST - this.utterances.length, 0);
    this.utterances = [...this.utterances, ...fresh.slice(0, room)];
    this.hasLater = fresh.length > room;
    if (follows && this.utterances.length > MOST_IN_HASTE) this.trim();
  }
}
