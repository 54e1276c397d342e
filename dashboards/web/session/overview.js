/** What the session is, and what is measured of it: all round the words. */

import { find, showShares, showTotals } from "../shared/elements.js";
import { clock, mediaMs, signed } from "../shared/format.js";
import { language, say, sayTime } from "../shared/i18n.js";
import { showTitle } from "../live/card.js";
import { showFacts, showQuarters } from "./figures.js";

/** @typedef {import("../shared/story.js").Story} Story */
/** @typedef {import("../shared/vocabulary.js").Course} Course */

/** @param {Story} story */
export function showHead({ session, heard, total }) {
  showTitle(find("title"), session);
  document.title = `${session?.title ?? "Undertone"} · Undertone`;
  say(find("state"), `state.${session?.state ?? "open"}`);
  find("state").dataset.state = session?.state ?? "open";
  const began = session?.started_at ?? session?.created_at;
  if (began) {
    find("when").dataset.time = began;
    find("when").textContent = sayTime(began);
  }
  const length = clock(mediaMs(heard));
  say(find("length"), "session.length", { length });
  const score = total?.score ?? null;
  if (score === null) say(find("mood-summary"), "session.mood.none");
  else say(find("mood-summary"), "session.mood.summary", { length, score: signed(score, language()) });
}

/**
 * @param {Story} story
 * @param {Course | null} course
 */
export function showStatistics({ total }, course) {
  showTotals(find("totals"), total);
  showShares(find("shares"), total);
  if (total) showFacts(find("facts"), total);
  find("course").classList.toggle("untold", !course || course.quarters.length === 0); // it keeps its room
  if (course) showQuarters(find("quarters"), find("trend"), course);
}
