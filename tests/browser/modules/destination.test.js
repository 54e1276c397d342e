import assert from "node:assert/strict";
import { test } from "node:test";

import { destination } from "../../../dashboards/web/login/destination.js";

const ORIGIN = "http://127.0.0.1:8000";

/** @param {string} next */
const after = (next) => destination(`?${new URLSearchParams({ next })}`, ORIGIN, true);

test("the page that was asked for opens with its query and its fragment", () => {
  assert.equal(after("/history?q=oh+well#last"), `${ORIGIN}/history?q=oh+well#last`);
  assert.equal(after("session?id=1"), `${ORIGIN}/session?id=1`);
  assert.equal(after(`${ORIGIN}/record`), `${ORIGIN}/record`);
});

test("without one it is the first page that the login may see", () => {
  assert.equal(destination("", ORIGIN, true), `${ORIGIN}/`);
  assert.equal(destination("", ORIGIN, false), `${ORIGIN}/record`);
});

const SLASHES = ["//", "/.//", "/..//", "/%2e//", "/x/..//", "\\\\", "/\\", "\\/", "/\t/", "/\n/", "\t//", " //", "/./\\", "///", "////", ".//", "%2f%2f", "/%5c"];
const SCHEMES = ["https:", "http:", "https:/", "http:///", "https:\\\\", "ftp://", "data:text/html,", "javascript:alert(1)//", "blob:http://", "blob:http://127.0.0.1:8000/", "http://127.0.0.1:8000@", "http://127.0.0.1:8000.", "view-source:http://"];

test("an address of another origin never opens", () => {
  for (const prefix of [...SLASHES, ...SCHEMES]) {
    for (const rest of ["host", "host/login", "host:80/login?a=1#b"]) {
      const opened = after(prefix + rest);
      const url = new URL(opened, "http://another.test");
      assert.equal(url.origin, ORIGIN, JSON.stringify(prefix + rest));
      assert.equal(url.protocol, "http:");
      assert.ok(opened.startsWith(`${ORIGIN}/`));
      assert.ok(!url.pathname.startsWith("//"), opened);
    }
  }
});

test("behind a path prefix every page is below it", () => {
  const root = "https://example.test/undertone/";
  assert.equal(destination("", root, true), root);
  assert.equal(destination("", root, false), `${root}record`);
  assert.equal(destination("?next=/undertone/history?q=a", root, true), `${root}history?q=a`);
  for (const next of ["/", "/admin", "/undertone", "/undertones/x", "/undertone/../x", "//undertone/"]) {
    assert.equal(destination(`?${new URLSearchParams({ next })}`, root, true), root, next);
  }
});
