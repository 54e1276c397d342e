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
