// Runs before the first paint, so that a chosen theme and language do not flash. A classic script on purpose.
(() => {
  const theme = localStorage.getItem("undertone.theme");
  if (theme) document.documentElement.dataset.theme = theme;
  const language = localStorage.getItem("undertone.language") ?? navigator.language.slice(0, 2);
  document.documentElement.lang = language === "ko" ? "ko" : "en";
})();
