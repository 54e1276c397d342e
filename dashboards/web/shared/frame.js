/** What all pages have round them: the choice of language and of theme, and the login. To be awaited first. */

import { find } from "./elements.js";
import { chooseLanguage, language, startLanguage } from "./i18n.js";
import { enter } from "./login.js";

const THEME_STORED_AS = "undertone.theme";

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

/** The window of an installed page takes the colour of the chosen theme; of the system's one by itself. */
function tintWindow() {
  if (!document.documentElement.dataset.theme) return;
  const { backgroundColor } = getComputedStyle(document.documentElement);
  for (const tint of document.querySelectorAll("meta[name=theme-color]")) tint.setAttribute("content", backgroundColor);
}

/**
 * @param {import("./login.js").Right | null} right What the page needs.
 * @returns {Promise<string[]>} The rights of the login.
 */
export async function startFrame(right) {
  find("language").addEventListener("click", () => {
    chooseLanguage(language() === "ko" ? "en" : "ko").catch(() => {}); // the page stays as it is, and whole
  });
  find("theme").addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem(THEME_STORED_AS, theme);
    tintWindow();
  });
  tintWindow();
  await startLanguage();
  return enter(right);
}

/**
 * A function that calls another at most ten times a second, the last time included.
 * @param {() => void} paint
 */
export function paced(paint) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    setTimeout(() => {
      due = false;
      paint();
    }, 100);
  };
}
