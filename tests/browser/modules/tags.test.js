import assert from "node:assert/strict";
import { test } from "node:test";

import { parseTags } from "../../../dashboards/web/record/tags.js";

test("tags stand between commas of any script, each once", () => {
  assert.deepEqual(parseTags(" support, monday ,,support、상담，월요일"), ["support", "monday", "상담", "월요일"]);
  assert.deepEqual(parseTags("  "), []);
});

test("no more and no longer ones than the server takes", () => {
  assert.equal(parseTags(Array.from({ length: 30 }, (_, n) => `t${n}`).join()).length, 20);
  assert.equal(parseTags("x".repeat(300))[0].length, 200);
});

test("a tag is one text however it was typed, and is cut between graphemes", () => {
  assert.deepEqual(parseTags("cafe\u0301,caf\u00e9,\u1112\u1161\u11ab"), ["caf\u00e9", "\ud55c"]);
  assert.equal([...parseTags("e\u0301".repeat(200))[0]].length, 200);
  assert.equal(parseTags(`${"x".repeat(199)}\u{1f469}\u200d\u{1f4bb}`)[0], "x".repeat(199));
  assert.equal([...parseTags("\u{1f600}".repeat(300))[0]].length, 200);
});
