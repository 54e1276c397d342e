/**
 * Plays what was said, one utterance at a time, for as long as its sound is kept; the line that is being heard shows it,
 * and one that cannot be heard says why.
 */

import { ApiError } from "../shared/api.js";
import { icon, make, words } from "../shared/elements.js";
import { say } from "../shared/i18n.js";
import { at } from "../shared/root.js";

/** @typedef {import("../shared/vocabulary.js").Utterance} Utterance */
/**
 * @typedef {object} Source
 * @property {(utteranceId: string) => string} pathOf Of the sound.
 * @property {(utteranceId: string) => Promise<unknown>} ask Asks for it; an `ApiError` says why it cannot be had.
 */
/**
 * @typedef {object} Listener
 * @property {(ms: number | null) => void} onMove Which moment is heard; null is none any more.
 * @property {(utterance: Utterance) => void} onGone This one is no longer kept, nor is any before it.
 */

const GONE = "audio_gone";

export class Player {
  #source;
  #rowOf;
  #listener;
  #audio = new Audio();
  /** @type {Utterance | null} What is being heard, or about to be. */
  #heard = null;
  /** @type {{utteranceId: string, key: string, reason: string} | null} */
  #trouble = null;
  /** @type {HTMLElement | null} The line that shows it. */
  #row = null;

  /**
   * @param {Source} source
   * @param {(utteranceId: string) => HTMLElement | null} rowOf
   * @param {Listener} listener
   */
  constructor(source, rowOf, listener) {
    this.#source = source;
    this.#rowOf = rowOf;
    this.#listener = listener;
    this.#audio.addEventListener("timeupdate", () => this.#move());
    this.#audio.addEventListener("ended", () => this.stop());
    addEventListener("pagehide", () => this.stop());
    addEventListener("keydown", (event) => void (event.key === "Escape" && this.stop()));
  }

  get isOn() {
    return this.#heard !== null;
  }

  /**
   * Plays it, or stops it if that is what is heard.
   * @param {Utterance} utterance
   */
  toggle(utterance) {
    if (this.#heard?.utterance_id === utterance.utterance_id) this.stop();
    else this.play(utterance, utterance.start_ms);
  }

  /**
   * @param {Utterance} utterance
   * @param {number} fromMs A moment in it.
   */
  play(utterance, fromMs) {
    this.stop();
    this.#trouble = null;
    this.#heard = utterance;
    this.#audio.src = this.#source.pathOf(utterance.utterance_id);
    this.#audio.currentTime = (fromMs - utterance.start_ms) / 1000;
    // called in the click itself: some browsers take nothing later for the reader's wish
    this.#audio.play().catch((error) => void this.#fail(utterance, error));
    this.settle();
  }

  stop() {
    if (!this.#heard) return;
    this.#heard = null;
    this.#audio.pause();
    this.#audio.removeAttribute("src");
    this.#audio.load(); // lets go of the sound
    this.#listener.onMove(null);
    this.settle();
  }

  /** After every change of what is shown. What is out of reach is not heard: nobody could stop it. */
  settle() {
    const row = this.#heard && this.#rowOf(this.#heard.utterance_id);
    if (this.#heard && !row) return this.stop();
    if (row !== this.#row) {
      if (this.#row) showPlaying(this.#row, false);
      if (row) showPlaying(row, true);
      this.#row = row;
    }
    this.#showTrouble();
  }

  #move() {
    if (this.#heard) this.#listener.onMove(this.#heard.start_ms + this.#audio.currentTime * 1000);
  }

  /**
   * An element of sound does not tell why it has none: the server is asked.
   * @param {Utterance} utterance
   * @param {Error} error
   */
  async #fail(utterance, error) {
    if (this.#heard !== utterance) return; // it was stopped
    const { utterance_id: utteranceId } = utterance;
    const refusal = await this.#source.ask(utteranceId).catch((caught) => caught);
    if (this.#heard !== utterance) return;
    const isGone = refusal instanceof ApiError && refusal.code === GONE;
    const reason = refusal instanceof Error ? refusal.message : error.message;
    this.#trouble = { utteranceId, key: isGone ? "sound.gone" : "sound.failed", reason };
    this.stop();
    if (isGone) this.#listener.onGone(utterance);
  }

  #showTrouble() {
    const shown = document.querySelector(".row-mute");
    const { utteranceId = "", key = "", reason = "" } = this.#trouble ?? {};
    const row = this.#rowOf(utteranceId);
    if (shown?.parentElement !== row) shown?.remove();
    if (!row || row.querySelector(".row-mute")) return;
    const line = make("p", "row-reason row-mute", icon("mute"), words(key, { reason }));
    line.setAttribute("role", "alert");
    row.append(line);
  }
}

/**
 * @param {HTMLElement} row
 * @param {boolean} isOn
 */
function showPlaying(row, isOn) {
  row.classList.toggle("row-playing", isOn);
  const button = row.querySelector(".row-play");
  button?.querySelector("use")?.setAttribute("href", at(`icons.svg#${isOn ? "stop" : "play"}`));
  const name = button?.querySelector("span");
  const { time = "" } = JSON.parse(name?.dataset.values ?? "{}");
  if (name) say(name, isOn ? "sound.stop" : "sound.play", { time });
}
