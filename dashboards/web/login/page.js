/** The page where one logs in: with an API key, or with what is behind the `#` of a link that the owner's command printed. */

import { logIn, readLogin } from "../shared/api.js";
import { find } from "../shared/elements.js";
import { startFrame } from "../shared/frame.js";
import { say } from "../shared/i18n.js";
import { may } from "../shared/login.js";
import { root } from "../shared/root.js";
import { destination } from "./destination.js";

/** @type {HTMLInputElement} */
const key = find("key");
const trouble = find("trouble");

/** @param {{key: string} | {link: string}} credential */
async function use(credential) {
  trouble.hidden = true;
  find("submit").toggleAttribute("disabled", true);
  try {
    await logIn(credential);
    const { rights } = await readLogin();
    location.replace(destination(location.search, root.href, may(rights, "read")));
  } catch (error) {
    find("submit").toggleAttribute("disabled", false);
    trouble.hidden = false;
    say(trouble, "login.failed", { reason: String(/** @type {Error} */ (error).message) });
    key.focus();
  }
}

/** Takes the link out of the address, so that it is in no history, and uses it. */
async function useLink() {
  const link = location.hash.slice(1);
  if (link === "") return;
  history.replaceState(null, "", location.pathname + location.search);
  await use({ link });
}

await startFrame(null);
find("form").addEventListener("submit", (event) => {
  event.preventDefault();
  void use({ key: key.value.trim() });
});
addEventListener("hashchange", () => void useLink());
const { name } = await readLogin().catch(() => ({ name: null }));
find("known").hidden = name === null;
if (name !== null) say(find("known"), "login.known", { name });
await useLink();
