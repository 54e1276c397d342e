import assert from "node:assert/strict";
import { test } from "node:test";

import { addressOf, readTarget } from "../../../dashboards/web/session/address.js";
import { ID, utterance } from "./session-parts.js";

const { utterance_id } = utterance(754);

/** @param {string} [search] @param {string} [hash] */
const read = (search = "", hash = "") => readTarget(ID, { search, hash });

test("an address names an utterance, or a moment in seconds or as a clock", () => {
  assert.deepEqual(read("?id=x", `#${utterance_id}`), { utteranceId: utterance_id, ms: 754_000, isMarked: true });
  for (const at of ["754", "12:34", "0:12:34"]) {
    assert.deepEqual(read(`?id=x&at=${at}`), { utteranceId: null, ms: 754_000, isMarked: true }, at);
  }
  assert.equal(read("?at=1:02:03")?.ms, 3_723_000);
});

test("an utterance is more exact than a moment", () => {
  assert.equal(read("?at=5", `#${utterance_id}`)?.ms, 754_000);
});

test("what names nothing of this session is nothing", () => {
  const foreign = utterance_id.replace("0189", "0190");
  for (const hash of ["", "#", "#content", `#${foreign}`, `#${ID}-12`, `#${ID}-${"9".repeat(13)}`]) {
    assert.equal(read("", hash), null, hash);
  }
  for (const at of ["", "soon", "-5", "1:2:3:4", "1e3"]) assert.equal(read(`?at=${at}`), null, at);
});

test("the link of an utterance keeps what opens the session, and no other moment", () => {
  const link = addressOf("http://test/session?id=a&token=t&at=5#old", utterance_id);
  assert.equal(link, `http://test/session?id=a&token=t#${utterance_id}`);
});
