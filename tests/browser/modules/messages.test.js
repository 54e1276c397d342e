import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const WEB = new URL("../../../dashboards/web/", import.meta.url);
const LANGUAGES = ["en", "ko"];

/** @param {string} language @returns {Record<string, string>} */
function messages(language) {
  return JSON.parse(readFileSync(new URL(`messages/${language}.json`, WEB), "utf8"));
}

/** @param {string} text */
const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort();

/** All pages and modules, as one text each. */
const sources = readdirSync(WEB, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.(js|html)$/.test(name))
  .map((name) => readFileSync(new URL(name, WEB), "utf8"));

test("every language has the same messages with the same places", () => {
  const english = messages("en");
  for (const language of LANGUAGES) {
    const others = messages(language);
    assert.deepEqual(Object.keys(others).sort(), Object.keys(english).sort(), language);
    for (const [key, text] of Object.entries(others)) {
      assert.ok(text.trim(), `${language}: ${key} is empty`);
      assert.deepEqual(places(text), places(english[key]), `${language}: ${key}`);
    }
  }
});

test("every message that the pages name exists", () => {
  const english = messages("en");
  const used = sources.flatMap((source) => [
    ...[...source.matchAll(/data-say(?:-label|-placeholder)?="([\w.]+)"/g)].map(([, key]) => key),
    ...[...source.matchAll(/"([a-z]+\.[a-z.]*[a-z])"/g)].map(([, key]) => key).filter(looksLikeKey),
  ]);
  assert.ok(used.length > 50, "the search for keys finds keys");
  for (const key of used) assert.ok(english[key], `${key} is used but has no message`);
});

test("every message is used", () => {
  const all = sources.join("\n");
  const families = [...all.matchAll(/`([a-z]+\.(?:[a-z]+\.)?)\$\{/g)].map(([, prefix]) => prefix);
  for (const key of Object.keys(messages("en"))) {
    const known = all.includes(`"${key}"`) || families.some((prefix) => key.startsWith(prefix));
    assert.ok(known, `${key} is a message that nothing shows`);
  }
});

test("words that were not judged are not said to have no sentiment", () => {
  assert.equal(messages("en")["mood.unknown"], "not judged");
  assert.equal(messages("ko")["mood.unknown"], "감정 미분석");
});

/** @param {string} text */
function looksLikeKey(text) {
  const families = new Set(Object.keys(messages("en")).map((key) => key.split(".")[0]));
  return families.has(text.split(".")[0]) && !/\.(js|json|html|css|svg)$/.test(text);
}
