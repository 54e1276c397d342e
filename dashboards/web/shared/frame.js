/** What all pages have round them: the choice of language and of theme. To be awaited first. */

import { find } from "./elements.js";
import { chooseLanguage, language, startLanguage } from "./i18n.js";

const THEME_STORED_AS = "undertone.theme";

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

export async function startFrame() {
  find("language").addEventListener("click", () => void chooseLanguage(language() === "ko" ? "en" : "ko"));
  find("theme").addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    localStorage.setItem(THEME_STORED_AS, theme);
  });
  await startLanguage();
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
