/**
 * A login that ends while a page is open. The page stays as it is, covered, until somebody has logged in again: here with
 * a key, or by the owner's link in another tab. Then it goes on where it was.
 */

import { ApiError, logIn, readLogin } from "./api.js";
import { make, words } from "./elements.js";
import { say } from "./i18n.js";
import { may, pathToLogin, showLogout } from "./login.js";

/** @typedef {import("./login.js").Right} Right */

const ASK_MS = 5000;

/** @type {Promise<void> | null} */
let regaining = null;

/**
 * Returns once the login has the right, or this cannot be known now. Until then it asks for a login, over the page.
 * @param {Right} right
 */
export function regain(right) {
  regaining ??= wait(right).finally(() => (regaining = null));
  return regaining;
}

/** @param {Right} right */
async function wait(right) {
  if ((await isGood(right)) !== false) return;
  const { dialog, key, trouble, form } = makeDialog();
  const stop = new AbortController();
  document.body.append(dialog);
  dialog.showModal();
  dialog.addEventListener("close", () => dialog.showModal(), { signal: stop.signal }); // Escape leads nowhere
  const tell = (/** @type {string} */ message, /** @type {string} */ reason) => {
    trouble.hidden = false;
    say(trouble, message, { reason });
    key.select();
  };
  await new Promise((done) => {
    const look = async () => (await isGood(right)) === true && done(undefined);
    const watch = setInterval(look, ASK_MS);
    stop.signal.addEventListener("abort", () => clearInterval(watch));
    document.addEventListener("visibilitychange", look, { signal: stop.signal }); // back from another tab
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      trouble.hidden = true;
      try {
        await logIn({ key: key.value.trim() });
        if ((await isGood(right)) !== false) done(undefined);
        else tell("regain.lacking", "");
      } catch (error) {
        tell("login.failed", String(/** @type {Error} */ (error).message));
      }
    });
  });
  stop.abort();
  dialog.close(); // which gives the focus back
  dialog.remove();
}

/**
 * Whether the login has the right; null while the server does not say.
 * @param {Right} right
 */
async function isGood(right) {
  try {
    const { name, rights } = await readLogin();
    showLogout(name);
    return may(rights, right);
  } catch (error) {
    if (error instanceof ApiError) return null;
    throw error;
  }
}

function makeDialog() {
  const title = make("h2", "", words("regain.title"));
  title.id = "regain-title";
  const trouble = make("p", "notice notice-bad");
  trouble.setAttribute("role", "alert");
  trouble.hidden = true;
  const key = make("input");
  Object.assign(key, { type: "password", required: true, autocomplete: "current-password", spellcheck: false });
  const field = make("label", "field", words("login.key"), key);
  const submit = make("button", "button", words("login.submit"));
  const way = make("a", "", words("regain.page"));
  way.href = pathToLogin();
  const hint = make("p", "hint", words("regain.hint"));
  const form = make("form", "", title, make("p", "", words("regain.words")), trouble, field, submit, hint, way);
  const dialog = make("dialog", "dialog panel regain", form);
  dialog.setAttribute("aria-labelledby", title.id);
  return { dialog, key, trouble, form };
}
