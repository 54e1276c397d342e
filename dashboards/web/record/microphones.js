/**
 * The choice of the microphone, remembered from one recording to the next. Browsers name the devices only once they
 * have given one out; until then the list offers to ask for that.
 */

import { make } from "../shared/elements.js";
import { onLanguage, text } from "../shared/i18n.js";
import { askForMicrophones, listMicrophones, Microphone } from "../recorder/microphone.js";

const STORED_AS = "undertone.microphone";
const SYSTEM = "";
const ASK = "?";

export class Microphones {
  #select;
  #onTrouble;
  #onChoice;

  /**
   * @param {HTMLSelectElement} select
   * @param {{onTrouble: (error: unknown) => void, onChoice: () => void}} told Of a list that could not be had, and of
   * another choice than before.
   */
  constructor(select, { onTrouble, onChoice }) {
    this.#select = select;
    this.#onTrouble = onTrouble;
    this.#onChoice = onChoice;
    select.addEventListener("change", () => void this.#choose());
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.#show());
    onLanguage(() => void this.#show());
    void this.#show();
  }

  /** Opens the chosen one, or another if that is gone: the list shows which. Throws `MicrophoneError`. */
  async open() {
    const microphone = await Microphone.open(localStorage.getItem(STORED_AS));
    await this.#show(microphone.deviceId);
    return microphone;
  }

  async #choose() {
    const { value } = this.#select;
    if (value === ASK) {
      await askForMicrophones().catch(this.#onTrouble);
    } else {
      if (value === SYSTEM) localStorage.removeItem(STORED_AS);
      else localStorage.setItem(STORED_AS, value);
      this.#onChoice();
    }
    await this.#show();
  }

  /** @param {string | null} [chosen] */
  async #show(chosen = localStorage.getItem(STORED_AS)) {
    const known = await listMicrophones();
    const options = known.map(({ deviceId, label }) => makeOption(deviceId, label));
    if (known.length === 0) options.push(makeOption(ASK, text("record.microphone.ask")));
    this.#select.replaceChildren(makeOption(SYSTEM, text("record.microphone.system")), ...options);
    this.#select.value = known.some(({ deviceId }) => deviceId === chosen) ? (chosen ?? SYSTEM) : SYSTEM;
  }
}

/**
 * @param {string} value
 * @param {string} name
 */
function makeOption(value, name) {
  const option = make("option", "", name);
  option.value = value;
  return option;
}
