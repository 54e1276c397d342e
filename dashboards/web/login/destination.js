/** The page that opens after a login. Its address comes from a link, which anybody can write. Pure. */

/**
 * The absolute address of the page that was asked for if it is one of this server, else of one that the login may see.
 *
 * The result begins with the origin. A path alone is not enough: the path of `/.//host/` is `//host/`, which a browser
 * reads as the address of another host.
 * @param {string} query The query of the login page.
 * @param {string} root Where this server is: its origin, and a path prefix where it has one.
 * @param {boolean} mayRead Whether the login may see all sessions.
 */
export function destination(query, root, mayRead) {
  const { href, origin, pathname } = new URL(root);
  const next = new URLSearchParams(query).get("next");
  if (next !== null && URL.canParse(next, href)) {
    const url = new URL(next, href);
    // The origin of a `blob:` address is that of its maker. No page of ours begins with two slashes.
    const isOrigin = url.origin === origin && /^https?:$/.test(url.protocol);
    const isOurs = url.pathname.startsWith(pathname) && !url.pathname.startsWith("//");
    if (isOrigin && isOurs) return origin + url.pathname + url.search + url.hash;
  }
  return new URL(mayRead ? "." : "record", href).href;
}
