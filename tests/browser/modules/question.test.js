import assert from "node:assert/strict";
import { test } from "node:test";

import { countFilters, NOTHING, readQuestion, requestOf, sound, withoutFilters, writeQuestion } from "../../../dashboards/web/history/question.js";

const ASKED = "?q=%22oh+well%22+%EB%82%A0%EC%94%A8&from=2026-09-21&to=2026-09-22&language=ko&sentiment=negative&length=medium&tag=a%26b&sort=longest";

test("a question is the same in the address and out of it, and nothing is no address", () => {
  const question = readQuestion(ASKED);
  assert.deepEqual(question, {
    ...{ words: '"oh well" 날씨', from: "2026-09-21", to: "2026-09-22", language: "ko", sentiment: "negative" },
    ...{ length: "medium", tag: "a&b", sort: "longest" },
  });
  assert.equal(writeQuestion(question), ASKED);
  assert.deepEqual(readQuestion(""), NOTHING);
  assert.equal(writeQuestion(NOTHING), "");
});

test("what is no sound part of a question counts for nothing", () => {
  const slips = ["from=2026-02-30", "from=soon", "from=1969-01-01", "to=99999-01-01", "language=%3Cb%3E", "sentiment=sad"];
  for (const slip of [...slips, "length=toString", "sort=newest", "q=%20", "tag=", "other=1"]) {
    assert.deepEqual(readQuestion(`?${slip}`), NOTHING, slip);
  }
  assert.equal(sound({ words: ` ${"a".repeat(300)} ` }).words.length, 200);
});

test("days are those of the reader, the last one included", () => {
  const { from, to } = requestOf(readQuestion("?from=2026-12-31&to=2026-12-31"));
  assert.equal(from, new Date(2026, 11, 31).toISOString());
  assert.equal(to, new Date(2027, 0, 1).toISOString());
});

test("words are searched for, and without words past sessions are listed in an order", () => {
  const nothing = { from: null, to: null, language: null, sentiment: null, tag: null, min_length_ms: null, max_length_ms: null };
  assert.deepEqual(requestOf(readQuestion("?q=refund&sort=longest")), { ...nothing, q: "refund" });
  assert.deepEqual(requestOf(readQuestion("?sort=longest")), { ...nothing, state: "ended", sort: "longest" });
});

test("the lengths leave no gap and do not overlap", () => {
  const ends = ["short", "medium", "long", "hours"].map((length) => requestOf({ ...NOTHING, length }));
  assert.equal(ends[0].min_length_ms, null);
  for (const [n, { max_length_ms }] of ends.entries()) {
    assert.equal(max_length_ms === null ? null : Number(max_length_ms) + 1, n === 3 ? null : Number(ends[n + 1].min_length_ms));
  }
});

test("filters are counted and taken away; words and their order are none", () => {
  const question = readQuestion(ASKED);
  assert.equal(countFilters(question), 6);
  assert.deepEqual(withoutFilters(question), { ...NOTHING, words: '"oh well" 날씨', sort: "longest" });
  assert.equal(countFilters(withoutFilters(question)), 0);
});

test("words and tags are normalized, then cut", () => {
  const question = readQuestion("?q=cafe%CC%81&tag=e%CC%81");
  assert.deepEqual([question.words, question.tag], ["caf\u00e9", "\u00e9"]);
  assert.equal(sound({ words: "e\u0301".repeat(201) }).words, "\u00e9".repeat(200));
});
