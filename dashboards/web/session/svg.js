/** Parts of pictures. */

const NAMESPACE = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {string} className
 * @param {Record<string, string | number>} attributes
 */
export function draw(tag, className, attributes) {
  const element = document.createElementNS(NAMESPACE, tag);
  element.setAttribute("class", className);
  set(element, attributes);
  return element;
}

/**
 * Sets what is different.
 * @param {Element} element
 * @param {Record<string, string | number>} attributes
 */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
  }
}

/**
 * @param {string} words
 * @param {string} anchor
 * @param {number} x
 * @param {number} y
 */
export function label(words, anchor, x, y) {
  const element = draw("text", "time-label", { x, y, "text-anchor": anchor });
  element.textContent = words;
  return element;
}
