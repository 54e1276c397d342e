/** The buttons, the state in words, the level, and what is to be known about it: a recorder's report, shown. */

import { find } from "../shared/elements.js";
import { clock } from "../shared/format.js";
import { say, sayLabel } from "../shared/i18n.js";
import { WakeLock } from "../recorder/wake-lock.js";
import { LevelMeter } from "./level-meter.js";
import { describe } from "./status.js";

/** @typedef {import("../shared/i18n.js").Values} Values */
/** @typedef {import("../recorder/recorder.js").Report} Report */

/** What one chooses before a recording. */
const WISHES = ["title", "tags", "spoken", "microphone", "start"];

export class Deck {
  start = find("start");
  stop = find("stop");
  pause = find("pause");
  level = new LevelMeter(find("level"), find("level-fill"), find("level-hint"));
  #wakeLock = new WakeLock((isMissing) => (find("awake").hidden = !isMissing));

  /** There is no recording, and there may be one. */
  rest() {
    this.#allow(true);
    this.tell("status.ready");
  }

  /** A recording is about to begin. */
  prepare() {
    find("trouble").hidden = true;
    this.#allow(false);
  }

  /**
   * Says the state; a screen reader hears of a new one once, and not of every tenth of a second in it.
   * @param {string} key
   * @param {Values} [values]
   */
  tell(key, values) {
    say(find("status"), key, values);
    if (find("announced").dataset.say !== key) say(find("announced"), key, values);
  }

  /**
   * @param {string} key
   * @param {Values} [values]
   */
  complain(key, values) {
    find("trouble").hidden = false;
    say(find("trouble"), key, values);
  }

  /** What was wrong is mended. */
  forgive() {
    find("trouble").hidden = true;
  }

  /** @param {Report} report */
  show(report) {
    const { phase } = report;
    const { key, values, trouble } = describe(report);
    const isOver = phase === "finished" || phase === "failed";
    const isOn = phase === "recording" || phase === "paused";
    this.tell(key, values);
    find("time").textContent = clock(report.lengthMs);
    find("deck").dataset.phase = trouble ? "trouble" : phase === "recording" ? "live" : phase;
    this.start.hidden = true;
    this.stop.hidden = isOver;
    this.stop.toggleAttribute("disabled", !isOn);
    this.pause.hidden = !isOn;
    sayLabel(this.pause, phase === "paused" ? "record.goon" : "record.pause");
    // both are there from the beginning: a picture that is asked for later may find the network away
    find("pause-icon").toggleAttribute("hidden", phase === "paused");
    find("goon-icon").toggleAttribute("hidden", phase !== "paused");
    find("microphone").toggleAttribute("disabled", phase !== "paused");
    find("level").hidden = isOver;
    if (phase !== "recording") this.level.rest();
    this.#wakeLock.want(phase === "recording" || phase === "finishing");
    find("unkept").hidden = isOver || !report.isUnkept;
    if (report.lostMs > 0) this.complain("status.lost", { seconds: Math.round(report.lostMs / 1000) });
  }

  /** @param {boolean} enabled */
  #allow(enabled) {
    for (const id of WISHES) find(id).toggleAttribute("disabled", !enabled);
  }
}
