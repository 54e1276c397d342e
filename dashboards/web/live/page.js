/** The first page: who is speaking now. */

import { eventsPath } from "../shared/api.js";
import { find } from "../shared/elements.js";
import { EventStream } from "../shared/events.js";
import { paced, startFrame } from "../shared/frame.js";
import { say } from "../shared/i18n.js";
import { enter } from "../shared/login.js";
import { Glance, Library } from "../shared/story.js";
import { Card } from "./card.js";

await startFrame("read");

const library = new Library(Glance);
/** @type {Map<string, Card>} */
const cards = new Map();
const live = find("live");
const notice = find("notice");
let connected = true;
let hasSnapshot = false;

const paint = paced(() => {
  library.dropQuiet();
  for (const [id, story] of library.stories) showCard(id).show(story);
  for (const [id, card] of cards) {
    if (library.stories.has(id)) continue;
    card.element.remove();
    cards.delete(id);
  }
  find("live-loading").hidden = hasSnapshot;
  find("live-none").hidden = !hasSnapshot || cards.size > 0;
  notice.hidden = connected && library.complete;
  say(notice, connected ? "stream.incomplete" : "stream.lost");
});

/** @param {string} id */
function showCard(id) {
  const known = cards.get(id);
  if (known) return known;
  const card = new Card(id);
  cards.set(id, card);
  const older = [...cards.keys()].filter((known) => known < id).sort().at(-1);
  live.insertBefore(card.element, cards.get(older ?? "")?.element ?? null);
  return card;
}

new EventStream(eventsPath(null, null), {
  onEvent: (event) => {
    library.apply(event);
    hasSnapshot = true;
    paint();
  },
  onConnection: (now) => {
    connected = now;
    paint();
  },
  mayRetry: async () => {
    await enter("read"); // the login may have ended
    return true;
  },
  mayRest: () => true,
});
