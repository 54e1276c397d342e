import assert from "node:assert/strict";
import { test } from "node:test";

import { isLimited } from "../../../dashboards/web/shared/stream-slots.js";

/** A page at an address, with the protocols of what it has loaded. @param {string} href @param {string[]} protocols @param {object} [locks] */
function visit(href, protocols, locks = {}) {
  const [first, ...others] = protocols.map((nextHopProtocol) => ({ nextHopProtocol }));
  const loaded = { navigation: [first], resource: others };
  const getEntriesByType = (/** @type {"navigation" | "resource"} */ type) => loaded[type];
  const given = { location: new URL(href), performance: { getEntriesByType }, navigator: { locks } };
  for (const [name, value] of Object.entries(given)) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
  return isLimited();
}

test("streams are limited over HTTP/1.1, also where the page comes from the cache", () => {
  assert.equal(visit("http://127.0.0.1:8000/", ["http/1.1"]), true);
  assert.equal(visit("http://127.0.0.1:8000/", [""]), true);
  assert.equal(visit("https://undertone.test/", ["http/1.1"]), true);
  assert.equal(visit("https://undertone.test/", ["", "", "http/1.1"]), true);
});

test("they are not over a later one, nor where nothing can be shared", () => {
  assert.equal(visit("https://undertone.test/", ["h2", "h2", ""]), false);
  assert.equal(visit("https://undertone.test/", ["", "h3"]), false);
  assert.equal(visit("https://undertone.test/", ["", ""]), false);
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  assert.equal(isLimited(), false);
});
