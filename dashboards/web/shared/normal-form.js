/** The one Unicode form (NFC) of titles, tags and queries. Pure. */

const CLUSTERS = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * The trimmed text in composed form, cut between two graphemes if it is too long.
 * @param {string} text
 * @param {number} longest In characters, as the server counts them.
 */
export function normalize(text, longest = Infinity) {
  const normal = text.normalize("NFC").trim();
  if (normal.length <= longest) return normal;
  let cut = "";
  let length = 0;
  for (const { segment } of CLUSTERS.segment(normal)) {
    length += [...segment].length;
    if (length > longest) break;
    cut += segment;
  }
  return cut.trim();
}
