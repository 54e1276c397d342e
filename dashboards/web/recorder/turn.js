/** Asks a busy server again when it said: for a new session, which may be refused for a while. */

import { ApiError } from "../shared/api.js";
import { BROWSER as UPLINK_BROWSER } from "./uplink.js";

/** @typedef {Pick<import("./uplink.js").World, "random" | "later">} World */

/** Those who were refused together come back apart: up to so much later than they were told. */
const LATER = 0.25;

/**
 * What `ask` gives in the end. A refusal that says when to try again is waited out; any other error is thrown.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {(seconds: number) => void} onWait Called about every second with what is left of the wait.
 * @param {World} world
 * @returns {Promise<T>}
 */
export async function awaitTurn(ask, onWait, world = UPLINK_BROWSER) {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const afterMs = error instanceof ApiError ? error.retryAfterMs : null;
      if (afterMs === null) throw error;
      for (let leftMs = afterMs * (1 + LATER * world.random()); leftMs > 0; leftMs -= 1000) {
        onWait(Math.ceil(leftMs / 1000));
        await /** @type {Promise<void>} */ (new Promise((go) => world.later(go, Math.min(leftMs, 1000))));
      }
    }
  }
}
