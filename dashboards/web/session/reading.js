/**
 * A session being read: the transcript and the time line beside it, which move together, and what brings the reader to
 * any place in it: the scroll bar, the keys, the time line, an address.
 */

import { find } from "../shared/elements.js";
import { clock } from "../shared/format.js";
import { onLanguage, say } from "../shared/i18n.js";
import { hasRow } from "../shared/row.js";
import { Transcript } from "../shared/transcript.js";
import { addressOf, readTarget } from "./address.js";
import { Player } from "./player.js";
import { Pointing } from "./pointing.js";
import { Reader } from "./reader.js";
import { RowKeys } from "./row-keys.js";
import { TimeLine } from "./time-line.js";
import { Zoom } from "./zoom.js";

/** @typedef {import("../shared/story.js").Story} Story */
/** @typedef {import("../shared/vocabulary.js").Utterance} Utterance */
/** @typedef {import("./address.js").Target} Target */

/** So near to an end of what is at hand, more is fetched. */
const NEAR_PX = 1000;

export class Reading {
  #id;
  #onChange;
  #transcript = new Transcript(find("transcript"), find("scroll"), { isLinked: true });
  #keys = new RowKeys(this.#transcript);
  #reader;
  #timeLine;
  #zoom;
  #pointing;
  #player;
  /** @type {Story | null} */
  #story = null;
  /** @type {Target | null} Where to go once it is at hand. */
  #target = null;
  #canFollow = false;
  #hadHistory = true;
  #newest = "";

  /**
   * @param {string} id
   * @param {import("./reader.js").Read} read
   * @param {import("./player.js").Source} source Of the sound.
   * @param {() => void} onChange Called when `show` is due.
   */
  constructor(id, read, source, onChange) {
    this.#id = id;
    this.#onChange = onChange;
    this.#reader = new Reader(read, onChange);
    this.#timeLine = new TimeLine(find("time-line"), {
      onPoint: (ms) => this.#pointing.pointAt(ms),
      onSeek: (ms, isDone) => this.#seek(ms, isDone),
      onPlay: (ms) => this.#playFrom(ms),
      onZoom: (factor, ms) => this.#zoom.zoom(factor, ms),
      onPan: (share) => this.#zoom.pan(share),
    });
    this.#zoom = new Zoom(this.#timeLine, onChange);
    const { picture } = this.#timeLine;
    this.#player = new Player(source, (said) => this.#transcript.row(said), {
      onMove: (ms) => picture.showPlayed(ms),
      onGone: ({ end_ms }) => this.silence(end_ms),
    });
    this.#pointing = new Pointing(this.#transcript, this.#timeLine, this.#reader.passage);
    find("scroll").addEventListener("scroll", onChange, { passive: true });
    this.#transcript.list.addEventListener("click", (event) => this.#heedClick(event));
    find("live").addEventListener("click", () => this.#goLive());
    find("again").addEventListener("click", () => void this.#reader.tryAgain());
    addEventListener("hashchange", () => this.#heedAddress());
    onLanguage(() => this.#pointing.pointAt(null));
  }

  /** What is at hand, in order of time. */
  get utterances() {
    return this.#reader.passage.utterances;
  }

  /**
   * @param {Story} story As often as it changes; ten times a second do.
   * @param {boolean} hasHistory Whether more can be fetched now.
   */
  show(story, hasHistory) {
    const isLive = story.session?.state !== "ended";
    this.#canFollow ||= isLive;
    if (!this.#story) this.#open(story, isLive);
    this.#story = story;
    const { follow } = this.#transcript;
    const { passage, busy } = this.#reader;
    const before = passage.utterances;
    const follows = this.#canFollow && follow.isOn;
    if (busy !== "moment") passage.meet(story, follows);
    const hasGrown = passage.utterances !== before;
    if (follows && hasGrown && passage.isLong) this.#onChange(); // soon, and perhaps nothing comes then
    else if (follows && !hasGrown) passage.trim();
    follow.arrive(this.#countNew(story));
    const { utterances, hasEarlier, hasLater } = passage;
    this.#transcript.show({ utterances, hasLater, partial: story.partial }, this.#canFollow);
    this.#arrive();
    const [first, last] = this.#transcript.place.inSight?.map(({ id }) => passage.find(id)) ?? [];
    const sight = /** @type {[number, number] | null} */ (first && last ? [first.start_ms, last.end_ms] : null);
    this.#pointing.windows = this.#zoom.show(story, passage, sight, isLive);
    this.#keys.settle();
    this.#pointing.settle();
    this.#player.settle();
    this.#showFetching();
    this.#showFollowing(isLive);
    if (hasHistory && busy === null) this.#fetchWhatIsDue(!this.#hadHistory);
    this.#hadHistory = hasHistory;
    this.#showSilence(story, isLive);
    find("transcript-none").hidden = !this.#transcript.isEmpty || hasEarlier || hasLater;
    say(find("transcript-none"), isLive ? "session.transcript.none" : "session.transcript.silent");
  }

  /**
   * Where the page begins: at what the address points at, at the end of a session that goes on, else at its beginning.
   * @param {Story} story
   * @param {boolean} isLive
   */
  #open(story, isLive) {
    this.#target = readTarget(this.#id, location);
    const from = this.#target?.ms ?? (isLive ? null : 0);
    const { passage } = this.#reader;
    passage.meet(story, false);
    if (from === null) return;
    this.#transcript.leave();
    if (passage.covers(from)) return;
    passage.turnTo([], { hasEarlier: true, hasLater: true });
    void this.#reader.turnTo(from);
  }

  #heedAddress() {
    const target = readTarget(this.#id, location);
    if (target) this.#turnTo(target);
    else this.#pointing.mark(null);
  }

  /** @param {Target} target */
  #turnTo(target) {
    this.#target = target;
    this.#transcript.leave();
    if (this.#reader.passage.covers(target.ms)) this.#reader.stay();
    else void this.#reader.turnTo(target.ms);
    this.#onChange();
  }

  /** Brings what was looked for into sight, once it is there. */
  #arrive() {
    const { passage, busy } = this.#reader;
    if (!this.#target || busy === "moment" || !passage.covers(this.#target.ms)) return;
    const { utteranceId, ms, isMarked } = this.#target;
    this.#target = null;
    const lines = passage.utterances.filter(hasRow);
    const found = lines.find(({ utterance_id }) => utterance_id === utteranceId) ?? nearest(lines, ms);
    if (!found) return;
    this.#transcript.reveal(found.utterance_id);
    if (isMarked) this.#pointing.mark(found);
  }

  #goLive() {
    const { passage } = this.#reader;
    this.#target = null;
    this.#reader.stay();
    if (passage.hasLater && this.#story) passage.turnTo(this.#story.utterances, { ...this.#story, hasLater: false });
    this.#transcript.follow.jump();
    find("scroll").focus({ preventScroll: true });
    this.#onChange();
  }

  /**
   * @param {number} ms
   * @param {boolean} isDone What is not at hand is fetched only then.
   */
  #seek(ms, isDone) {
    if (isDone || this.#reader.passage.covers(ms)) this.#turnTo({ utteranceId: null, ms, isMarked: false });
    this.#pointing.pointAt(ms);
  }

  /**
   * What is said at a moment, from there on; in a pause, the last words before it.
   * @param {number} ms
   */
  #playFrom(ms) {
    const { passage } = this.#reader;
    const said = passage.covers(ms) ? passage.at(ms) : null;
    if (this.#player.isOn) this.#player.stop();
    else if (said && hasRow(said)) this.#player.play(said, ms < said.end_ms ? Math.max(ms, said.start_ms) : said.start_ms);
  }

  /**
   * What begins earlier can be heard no more.
   * @param {number} ms
   */
  silence(ms) {
    this.#transcript.silence(ms, this.utterances);
    this.#onChange();
  }

  /** Nothing is shown or heard any more. */
  leave() {
    this.#player.stop();
  }

  /** @param {MouseEvent} event */
  #heedClick(event) {
    const button = event.target instanceof Element ? event.target.closest(".row-play") : null;
    const said = button && this.#reader.passage.find(button.closest("li")?.id ?? "");
    if (said) return this.#player.toggle(said);
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault(); // it is in sight: no need to jump
    const id = link.hash.slice(1);
    history.pushState(null, "", addressOf(location.href, id));
    this.#pointing.mark(this.#reader.passage.find(id));
  }

  /** @param {Story} story */
  #countNew({ utterances }) {
    let place = utterances.length;
    while (place > 0 && utterances[place - 1].utterance_id > this.#newest) place -= 1;
    const fresh = this.#newest === "" ? [] : utterances.slice(place).filter(hasRow);
    const last = utterances.at(-1)?.utterance_id ?? "";
    if (last > this.#newest) this.#newest = last; // a fresh snapshot may know less for a moment
    return fresh.length;
  }

  /** @param {boolean} isBack Whether the history was away until now. */
  #fetchWhatIsDue(isBack) {
    if (isBack && this.#reader.trouble) return void this.#reader.tryAgain();
    if (this.#target !== null) return;
    const { above, below } = this.#transcript.place.beyond;
    if (above < NEAR_PX && this.#reader.passage.hasEarlier) void this.#reader.readEarlier();
    else if (below < NEAR_PX && this.#reader.passage.hasLater) void this.#reader.readLater();
  }

  /** What is on its way, or could not be fetched. */
  #showFetching() {
    const { busy, trouble } = this.#reader;
    find("fetching").hidden = !busy && !trouble;
    find("again").hidden = !trouble;
    if (trouble) say(find("fetching-words"), "session.words.failed", { reason: trouble.reason });
    else if (busy) say(find("fetching-words"), "session.words.fetching");
  }

  /**
   * Why there is nothing to press where there once was.
   * @param {Story} story
   * @param {boolean} isLive
   */
  #showSilence({ utterances }, isLive) {
    const { heardFromMs } = this.#transcript;
    if (heardFromMs === 0) return;
    const isAll = !isLive && (utterances.at(-1)?.start_ms ?? 0) < heardFromMs;
    find("silence").hidden = false;
    say(find("silence"), isAll ? "sound.silence.all" : "sound.silence", { time: clock(heardFromMs) });
  }

  /** @param {boolean} isLive */
  #showFollowing(isLive) {
    const { isOn, missed } = this.#transcript.follow;
    find("live").hidden = isOn || !isLive;
    if (!isOn) say(find("live-words"), missed > 0 ? "session.live.new" : "session.live", { count: missed });
  }
}

/**
 * @param {Utterance[]} lines In order.
 * @param {number} ms
 */
function nearest(lines, ms) {
  return lines.findLast(({ start_ms }) => start_ms <= ms) ?? lines[0] ?? null;
}
