/** The page that opens after a login. Its address comes from a link, which anybody can write. */

/**
 * The absolute address of the page that was asked for if it is one of this origin, else of one that the login may see.
 *
 * The result begins with the origin. A path alone is not enough: the path of `/.//host/` is `//host/`, which a browser
 * reads as the address of another host.
 * @param {string} query The query of the login page.
 * @param {string} origin The origin of the login page.
 * @param {boolean} mayRead Whether the login may see all sessions.
 */
export function destination(query, origin, mayRead) {
  const next = new URLSearchParams(query).get("next");
  if (next !== null && URL.canParse(next, origin)) {
    const url = new URL(next, origin);
    // The origin of a `blob:` address is that of its maker. No page of ours begins with two slashes.
    const isOurs = url.origin === origin && /^https?:$/.test(url.protocol) && !url.pathname.startsWith("//");
    if (isOurs) return origin + url.pathname + url.search + url.hash;
  }
  return origin + (mayRead ? "/" : "/record");
}
