/** The past: what was said, searched and sifted. The address holds the question, so it can be sent, kept and gone back to. */

import { listSessions, search } from "../shared/api.js";
import { find } from "../shared/elements.js";
import { startFrame } from "../shared/frame.js";
import { onLanguage, say, sayTime } from "../shared/i18n.js";
import { DeletionDialog, titleOf } from "../shared/keeping.js";
import { may } from "../shared/login.js";
import { regain } from "../shared/regain.js";
import { Bookmark } from "./bookmark.js";
import { Entry } from "./entry.js";
import { Form } from "./form.js";
import { countFilters, readQuestion, requestOf, withoutFilters, writeQuestion } from "./question.js";
import { Results } from "./results.js";
import { sayState, sayTrouble } from "./words.js";

/** @typedef {import("../shared/vocabulary.js").Session} Session */
/** @typedef {import("./question.js").Question} Question */
/** @typedef {import("./results.js").Found} Found */

const list = find("found");
const notice = find("notice");
/** @type {HTMLButtonElement} */
const more = find("more");
/** @type {Map<Found, Entry>} */
const entries = new Map();
/** @type {{session: Session, goneBy: string} | null} The last that was deleted. */
let deleted = null;
let isTyping = false;

const rights = await startFrame("read");
const bookmark = new Bookmark();
const results = new Results(ask, paint);
const form = new Form(go);
const dialog = new DeletionDialog(forget);
const onDelete = may(rights, "operate") ? (/** @type {Session} */ session) => dialog.ask(session) : null;

/** @type {import("./results.js").Ask} */
async function ask(question, { cursor, limit }, signal) {
  const asked = { ...requestOf(question), cursor, limit: String(limit) };
  return question.words ? search(asked, signal) : listSessions(asked, signal);
}

/**
 * To another question. While words are typed, one step back leads to before the first of them.
 * @param {Question} question
 * @param {boolean} isTypingNow
 */
function go(question, isTypingNow) {
  const address = location.pathname + writeQuestion(question);
  if (address !== location.pathname + location.search) {
    bookmark.turn(address, isTyping && isTypingNow);
    deleted = null;
    void results.turnTo(question);
  }
  isTyping = isTypingNow;
}

/** To what the address asks, as far down the list as the reader was. */
async function followAddress() {
  const question = readQuestion(location.search);
  const { count, top } = bookmark.place;
  isTyping = false;
  form.show(question);
  if (results.question && writeQuestion(question) === writeQuestion(results.question)) return;
  await results.turnTo(question, count);
  scrollTo({ top, behavior: "instant" });
}

async function showMore() {
  const before = links().length;
  await (results.trouble ? results.tryAgain() : results.more());
  bookmark.grow(results.count);
  links()[before]?.focus();
}

/**
 * @param {Session} session
 * @param {import("../shared/vocabulary.js").Deleted} answer
 */
function forget(session, answer) {
  const place = results.found.findIndex((found) => found.session.session_id === session.session_id);
  deleted = { session, goneBy: answer.gone_from_logs_by };
  results.drop(session.session_id);
  const next = entries.get(results.found[Math.min(place, results.found.length - 1)]);
  (next?.element.querySelector("a") ?? find("heading")).focus();
}

function paint() {
  showList();
  const state = sayState(results);
  if (state) say(find("state"), state.key, state.values);
  find("state").hidden = results.trouble !== null && results.found.length === 0;
  showNone();
  showTrouble();
  showWayOn();
  notice.hidden = deleted === null;
  if (deleted) say(notice, "keeping.deleted", { title: titleOf(deleted.session), time: sayTime(deleted.goneBy) });
}

function showList() {
  const wanted = new Set(results.found);
  for (const [found, entry] of entries) {
    if (wanted.has(found)) continue;
    entry.element.remove();
    entries.delete(found);
  }
  for (const found of results.found) {
    const entry = entries.get(found) ?? new Entry(found, { onDelete, onTag });
    if (!entries.has(found)) list.append(entry.element);
    entries.set(found, entry);
    entry.show();
  }
  list.ariaBusy = String(results.isAsking);
  form.offerTags(results.found.flatMap(({ session }) => session.tags));
}

/** What one can do where nothing is found. */
function showNone() {
  const { found, isAsking, trouble, question } = results;
  const isNone = !isAsking && !trouble && found.length === 0;
  find("none").hidden = !isNone;
  if (!isNone || !question) return;
  const isFiltered = countFilters(question) > 0;
  const key = question.words ? "history.none.words" : isFiltered ? "history.none.filters" : "history.none";
  say(find("none-words"), key, { words: question.words });
  find("none-hints").hidden = !question.words;
  find("none-clear").hidden = !isFiltered;
  find("none-record").hidden = question.words !== "" || isFiltered;
}

function showTrouble() {
  const { trouble } = results;
  find("trouble").hidden = !trouble;
  if (!trouble) return;
  const { key, values } = sayTrouble(trouble);
  say(find("trouble"), key, values);
  if (trouble.status === 401) void comeBack(trouble);
}

/**
 * Once somebody has logged in again, the same is asked again.
 * @param {Error} refusal
 */
async function comeBack(refusal) {
  await regain("read");
  if (results.trouble === refusal) await results.tryAgain();
}

/** The button that fetches more, or tries again. */
function showWayOn() {
  const isLost = document.activeElement === more;
  more.hidden = !results.hasMore && !results.trouble;
  more.ariaDisabled = String(results.isAsking);
  say(more, results.trouble ? "history.again" : "history.more");
  if (isLost && more.hidden) find("heading").focus({ preventScroll: true });
}

/** @param {string} tag */
function onTag(tag) {
  const question = { ...readQuestion(location.search), tag };
  form.show(question);
  go(question, false);
}

function clearFilters() {
  const question = withoutFilters(readQuestion(location.search));
  form.show(question);
  go(question, false);
  find("ask-words").focus();
}

/** @returns {HTMLAnchorElement[]} What leads to a session or into it, in order. */
function links() {
  return [...list.querySelectorAll(/** @type {"a"} */ ("a.entry-link, a.hit"))];
}

more.addEventListener("click", () => void showMore());
for (const id of ["clear", "none-clear"]) find(id).addEventListener("click", clearFilters);
addEventListener("popstate", () => void followAddress());
onLanguage(paint);
await followAddress();
