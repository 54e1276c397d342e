/** What another page has left unfinished, and the two things that can be done about it. */

import { make, words } from "../shared/elements.js";
import { clock, seconds } from "../shared/format.js";
import { sayTime } from "../shared/i18n.js";

/** @typedef {import("../recorder/shelf.js").Unfinished} Unfinished */

const SAMPLES_PER_MS = 16;

/**
 * @param {HTMLElement} list
 * @param {Unfinished[]} unfinished
 * @param {(unfinished: Unfinished, goesOn: boolean) => void} onChoice
 */
export function showOffers(list, unfinished, onChoice) {
  list.replaceChildren(...unfinished.map((each) => makeOffer(each, onChoice)));
}

/**
 * @param {Unfinished} unfinished
 * @param {(unfinished: Unfinished, goesOn: boolean) => void} onChoice
 */
function makeOffer(unfinished, onChoice) {
  const { sessionId, title, nextSample, keptSamples, writtenAt, isStopping } = unfinished;
  const name = title ? make("b", "", title) : make("b", "", words("session.untitled"));
  name.id = `offer-${sessionId}`;
  const time = make("span");
  time.dataset.time = new Date(writtenAt).toISOString();
  time.textContent = sayTime(time.dataset.time);
  const facts = make("p", "meta offer-facts", clock(nextSample / SAMPLES_PER_MS), " · ", time);
  const kept = seconds(keptSamples / SAMPLES_PER_MS);
  const buttons = make("div", "after");
  if (!isStopping) buttons.append(makeButton("button", "record.unfinished.goon", () => onChoice(unfinished, true)));
  const finish = () => onChoice(unfinished, false);
  buttons.append(makeButton(isStopping ? "button" : "quiet", "record.unfinished.finish", finish));
  const offer = make("li", "offer", name, facts);
  if (kept > 0) offer.append(make("p", "hint", words("record.unfinished.kept", { seconds: kept })));
  offer.append(buttons);
  offer.setAttribute("aria-labelledby", name.id);
  return offer;
}

/**
 * @param {string} className
 * @param {string} key
 * @param {() => void} onClick
 */
function makeButton(className, key, onClick) {
  const button = make("button", className, words(key));
  button.type = "button";
  button.addEventListener("click", onClick);
  return button;
}
