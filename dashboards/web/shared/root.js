/**
 * Where Undertone is on its host: `/`, or a path prefix that a proxy in front takes away. The page finds out from the
 * address of this module, so nothing tells it.
 */

/** Ends with a slash. */
export const root = new URL("../", import.meta.url);

/**
 * The address of something of this server.
 * @param {string} path Without a slash at its beginning.
 */
export function at(path) {
  return new URL(path, root).href;
}
