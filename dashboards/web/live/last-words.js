/** The end of what is being said, as much of it as a card has room for. Pure. */

/**
 * @param {string} text
 * @param {number} most Letters; where there are more, whole words are left out at the front.
 */
export function tail(text, most) {
  if (text.length <= most) return text;
  const end = text.slice(-most);
  const space = end.indexOf(" ");
  return `… ${(space >= 0 && space < most / 2 ? end.slice(space + 1) : end).trimStart()}`;
}
