/** The REST calls that the pages make. A refusal is an `ApiError` with the server's own words. */

import { at } from "./root.js";

/** @typedef {import("./vocabulary.js").Session} Session */
/** @typedef {import("./vocabulary.js").NewSession} NewSession */
/** @typedef {import("./vocabulary.js").Utterance} Utterance */
/** @typedef {import("./vocabulary.js").Window} Window */
/** @typedef {import("./vocabulary.js").Course} Course */
/** @typedef {import("./vocabulary.js").Hit} Hit */
/** @typedef {import("./vocabulary.js").Deleted} Deleted */

export class ApiError extends Error {
  /**
   * @param {number} status 0 when the server was not reached.
   * @param {string} message
   * @param {number | null} retryAfterMs When to ask again, where that is of use.
   * @param {string} code What kind of refusal it is, for programs.
   */
  constructor(status, message, retryAfterMs = null, code = "") {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.code = code;
  }
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function ask(path, options) {
  const response = await fetch(at(path), options).catch((error) => {
    throw new ApiError(0, String(error));
  });
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  const message = body?.message ?? `${response.status} ${response.statusText}`;
  throw new ApiError(response.status, message, body?.retry_after_ms ?? null, body?.code);
}

/**
 * Who is logged in and may do what: nobody and nothing without a login.
 * @returns {Promise<{name: string | null, rights: string[]}>}
 */
export function readLogin() {
  return ask("v1/login");
}

/**
 * @param {{key: string} | {link: string}} credential
 * @returns {Promise<null>}
 */
export function logIn(credential) {
  const body = JSON.stringify(credential);
  return ask("v1/login", { method: "POST", headers: { "content-type": "application/json" }, body });
}

/** @returns {Promise<null>} */
export function logOut() {
  return ask("v1/login", { method: "DELETE" });
}

/**
 * @param {{title: string | null, tags: string[], language: string | null}} wanted
 * @returns {Promise<NewSession>}
 */
export function createSession(wanted) {
  const body = JSON.stringify(wanted);
  return ask("v1/sessions", { method: "POST", headers: { "content-type": "application/json" }, body });
}

/**
 * One page of sessions, with the whole-session windows of those that have one.
 * @param {Record<string, string | null>} asked Filters, `sort`, `limit`, `cursor`.
 * @param {AbortSignal} signal
 * @returns {Promise<{sessions: Session[], windows: Window[], next: string | null}>}
 */
export function listSessions(asked, signal) {
  return ask(`v1/sessions${query(asked)}`, { signal });
}

/**
 * One page of what was said, with the sessions that it is from.
 * @param {Record<string, string | null>} asked `q`, filters, `limit`, `cursor`.
 * @param {AbortSignal} signal
 * @returns {Promise<{hits: Hit[], sessions: Session[], next: string | null}>}
 */
export function search(asked, signal) {
  return ask(`v1/search${query(asked)}`, { signal });
}

/**
 * Forgets a session for good.
 * @param {string} id
 * @returns {Promise<Deleted>}
 */
export function deleteSession(id) {
  return ask(`v1/sessions/${encodeURIComponent(id)}`, { method: "DELETE" });
}

/**
 * Where a session is to be had as a file.
 * @param {string} id
 * @param {string | null} token
 * @param {string} format
 */
export function exportPath(id, token, format) {
  return at(`v1/sessions/${encodeURIComponent(id)}/export${query({ format, token })}`);
}

/** Whether the history answers. */
export function isHistoryThere() {
  return ask("v1/sessions?limit=1").then(() => true, () => false);
}

/**
 * Some of a session's utterances, in order of time: those that start at `fromMs` or later, or the last before it.
 * @param {string} id
 * @param {string | null} token
 * @param {{fromMs: number, isBackwards: boolean, limit: number}} wanted
 * @returns {Promise<{utterances: Utterance[], hasMore: boolean}>}
 */
export async function readUtterances(id, token, { fromMs, isBackwards, limit }) {
  const asked = { from_ms: String(fromMs), order: isBackwards ? "desc" : "asc", limit: String(limit), token };
  const page = await ask(`v1/sessions/${encodeURIComponent(id)}/utterances${query(asked)}`);
  return { utterances: isBackwards ? page.utterances.reverse() : page.utterances, hasMore: page.next !== null };
}

/**
 * A session's windows of one size; a day has fewer of a minute than one page holds.
 * @param {string} id
 * @param {string | null} token
 * @param {number} sizeMs
 * @returns {Promise<{windows: Window[]}>}
 */
export function readWindows(id, token, sizeMs) {
  const asked = { size_ms: String(sizeMs), limit: "5000", token };
  return ask(`v1/sessions/${encodeURIComponent(id)}/windows${query(asked)}`);
}

/**
 * @param {string} id
 * @param {string | null} token
 * @returns {Promise<Session>}
 */
export function readSession(id, token) {
  return ask(`v1/sessions/${encodeURIComponent(id)}${query({ token })}`);
}

/**
 * A session as a whole and in quarters.
 * @param {string} id
 * @param {string | null} token
 * @returns {Promise<Course>}
 */
export function readCourse(id, token) {
  return ask(`v1/sessions/${encodeURIComponent(id)}/statistics${query({ token })}`);
}

/**
 * Where an utterance can be heard.
 * @param {string} id Of its session.
 * @param {string | null} token
 * @param {string} utteranceId
 */
export function soundPath(id, token, utteranceId) {
  const [session, utterance] = [id, utteranceId].map(encodeURIComponent);
  return at(`v1/sessions/${session}/utterances/${utterance}/audio${query({ token })}`);
}

/**
 * From where on a session can be heard.
 * @param {string} id
 * @param {string | null} token
 * @returns {Promise<{from_ms: number}>}
 */
export function readKeptAudio(id, token) {
  return ask(`v1/sessions/${encodeURIComponent(id)}/kept-audio${query({ token })}`);
}

/**
 * Asks for a sound itself, for the reason why it cannot be had.
 * @param {string} path
 * @returns {Promise<null>}
 */
export function askForSound(path) {
  return ask(path, { headers: { range: "bytes=0-1" } });
}

/**
 * @param {string | null} id Null for all sessions.
 * @param {string | null} token
 */
export function eventsPath(id, token) {
  return at(`${id ? `v1/sessions/${encodeURIComponent(id)}` : "v1"}/events${query({ token })}`);
}

/**
 * @param {string} id
 * @param {string} token
 */
export function audioUrl(id, token) {
  const url = new URL(at(`v1/sessions/${encodeURIComponent(id)}/audio${query({ token })}`));
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/**
 * The page that shows a session.
 * @param {string} id
 * @param {string | null} token
 */
export function sessionPage(id, token) {
  return at(`session${query({ id, token })}`);
}

/** @param {Record<string, string | null>} values */
function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== null);
  return given.length === 0 ? "" : `?${new URLSearchParams(/** @type {[string, string][]} */ (given))}`;
}
