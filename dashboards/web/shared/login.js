/** Who may see a page. Whoever may not is sent to the page where one logs in, and comes back from there. */

import { ApiError, logOut, readLogin } from "./api.js";
import { find } from "./elements.js";
import { at, root } from "./root.js";

/** @typedef {"record" | "read" | "operate"} Right */

/**
 * Whether a login has a right, itself or with the greatest.
 * @param {string[]} rights
 * @param {Right} right
 */
export function may(rights, right) {
  return rights.includes(right) || rights.includes("operate");
}

/**
 * Returns once it is known that the page may be seen, or that this cannot be known now: the page says then what is wrong.
 * @param {Right | null} right Null for a page that needs none.
 * @returns {Promise<string[]>} The rights of the login, none where they are not known.
 */
export async function enter(right) {
  try {
    const { name, rights } = await readLogin();
    showLogout(name);
    if (right === null || may(rights, right)) return rights;
  } catch (error) {
    if (error instanceof ApiError) return [];
    throw error;
  }
  location.replace(pathToLogin());
  return new Promise(() => {}); // nothing more happens here
}

/** Where one logs in and comes back from to this very page. */
export function pathToLogin() {
  const next = location.pathname + location.search + location.hash;
  return at(next === root.pathname ? "login" : `login?${new URLSearchParams({ next })}`);
}

/** @param {string | null} name */
export function showLogout(name) {
  const button = find("logout");
  button.hidden = name === null;
  button.onclick = async () => {
    await logOut();
    location.replace(at("login"));
  };
}
