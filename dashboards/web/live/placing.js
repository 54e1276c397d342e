/** Elements in a new order. */

/**
 * Brings elements into an order, and moves no more than it must; the one with the focus not at all, as it would lose it.
 * @param {HTMLElement} list Of these elements and no others.
 * @param {HTMLElement[]} wanted
 */
export function place(list, wanted) {
  const focused = wanted.find((element) => element.contains(document.activeElement));
  let next = list.firstElementChild;
  for (const element of wanted) {
    while (element === focused && next && next !== focused) {
      const skipped = next; // its own turn comes
      next = next.nextElementSibling;
      list.append(skipped);
    }
    if (element === next) next = next.nextElementSibling;
    else list.insertBefore(element, next);
  }
}
