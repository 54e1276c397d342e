/**
 * What was recorded and is not yet acknowledged, by sample number.
 *
 * Pieces lie end to end: samples, or a gap (a pause). When more is kept than the bound allows, the oldest samples are
 * given up; a reader that stands before them is told of a gap, so the server hears of every loss.
 */

/** @typedef {{first: number, end: number, pcm: Int16Array | null}} Piece  Samples, or null for a gap. */

export class Outbox {
  #limitSamples;
  /** @type {Piece[]} */
  #pieces = [];
  #acknowledged;
  #next;
  #kept = 0;
  #lost = 0;

  /**
   * @param {number} limitSamples The most samples kept.
   * @param {number} [first] The number of the first sample; all before it are safe with the server.
   */
  constructor(limitSamples, first = 0) {
    this.#limitSamples = limitSamples;
    this.#acknowledged = first;
    this.#next = first;
  }

  /**
   * One that holds what another held.
   * @param {number} limitSamples
   * @param {{acknowledged: number, oldest: number}} held What lies between the two was given up.
   * @param {Piece[]} pieces From the oldest sample on, end to end; of the first only what is not older counts.
   */
  static restore(limitSamples, { acknowledged, oldest }, pieces) {
    const outbox = new Outbox(limitSamples, acknowledged);
    outbox.#next = oldest;
    for (const { first, end, pcm } of pieces) {
      if (pcm) outbox.push(pcm.subarray(outbox.nextSample - first));
      else outbox.skip(end - outbox.nextSample);
    }
    return outbox;
  }

  /** The number of the sample that comes next. */
  get nextSample() {
    return this.#next;
  }

  /** Everything before this sample is safe with the server. */
  get acknowledged() {
    return this.#acknowledged;
  }

  /** The first sample that has not been acknowledged or given up. */
  get oldest() {
    return this.#pieces[0]?.first ?? this.#next;
  }

  /** How many samples are waiting here. */
  get keptSamples() {
    return this.#kept;
  }

  /** How many samples were given up for want of room. */
  get lostSamples() {
    return this.#lost;
  }

  /** @param {Int16Array} pcm */
  push(pcm) {
    if (pcm.length === 0) return;
    this.#pieces.push({ first: this.#next, end: this.#next + pcm.length, pcm });
    this.#next += pcm.length;
    this.#kept += pcm.length;
    while (this.#kept > this.#limitSamples) {
      const oldest = this.#drop();
      if (oldest.pcm) this.#lost += oldest.pcm.length;
    }
  }

  /**
   * Declares that there is no audio for so many samples.
   * @param {number} samples
   */
  skip(samples) {
    if (samples <= 0) return;
    this.#pieces.push({ first: this.#next, end: this.#next + samples, pcm: null });
    this.#next += samples;
  }

  /**
   * Forgets what lies before a sample; numbers beyond what exists, or behind an earlier one, change nothing.
   * @param {number} nextSample
   */
  acknowledge(nextSample) {
    if (nextSample > this.#next || nextSample <= this.#acknowledged) return;
    this.#acknowledged = nextSample;
    while (this.#pieces.length > 0 && this.#pieces[0].end <= nextSample) this.#drop();
    const first = this.#pieces[0];
    if (first && first.first < nextSample) {
      const cut = nextSample - first.first;
      this.#pieces[0] = { first: nextSample, end: first.end, pcm: first.pcm && first.pcm.subarray(cut) };
      if (first.pcm) this.#kept -= cut;
    }
  }

  /**
   * The piece to send from a position on: neighbouring samples joined up to a bound, or one gap. Null at the end.
   * @param {number} position
   * @param {number} mostSamples
   * @returns {Piece | null}
   */
  read(position, mostSamples) {
    if (position >= this.#next) return null;
    const index = this.#pieces.findIndex((piece) => piece.end > position);
    if (index < 0) return { first: position, end: this.#next, pcm: null };
    const piece = this.#pieces[index];
    if (piece.first > position) return { first: position, end: piece.first, pcm: null };
    if (!piece.pcm) return { first: position, end: piece.end, pcm: null };
    const parts = [];
    let end = position;
    for (let at = index; at < this.#pieces.length && end - position < mostSamples; at++) {
      const { first, pcm } = this.#pieces[at];
      if (!pcm) break;
      const part = pcm.subarray(end - first, end - first + mostSamples - (end - position));
      parts.push(part);
      end += part.length;
    }
    const joined = new Int16Array(end - position);
    let filled = 0;
    for (const part of parts) {
      joined.set(part, filled);
      filled += part.length;
    }
    return { first: position, end, pcm: joined };
  }

  /**
   * Makes the gap that `read` gave end sooner; what comes behind it is numbered anew.
   * @param {Piece} gap
   * @param {number} end
   * @returns {number} By how many samples it is shorter.
   */
  shorten(gap, end) {
    const to = Math.max(gap.first, end);
    const cut = gap.end - to;
    const renumber = (/** @type {number} */ sample) => (sample >= gap.end ? sample - cut : Math.min(sample, to));
    this.#pieces = this.#pieces
      .map((piece) => ({ first: renumber(piece.first), end: renumber(piece.end), pcm: piece.pcm }))
      .filter((piece) => piece.end > piece.first);
    this.#next -= cut;
    return cut;
  }

  #drop() {
    const piece = /** @type {Piece} */ (this.#pieces.shift());
    if (piece.pcm) this.#kept -= piece.pcm.length;
    return piece;
  }
}
