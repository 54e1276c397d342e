// A headless Firefox for tests: its pages, what they complain of, and a sound for its microphone.

import { spawn } from "node:child_process";
import puppeteer from "puppeteer-core";

const WITHIN_MS = 120_000;

/** The platform's address, the WAV that the microphone hears, and Firefox, as the caller has set them up. */
export const { PLATFORM_URL: url, SPEECH_WAV: speech, FIREFOX: executablePath } = process.env;

/** Run `use` with a Firefox of its own, and close it afterwards. */
export async function withFirefox(use) {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath,
    headless: true,
    extraPrefsFirefox: {
      "intl.accept_languages": "en-US",
      "media.autoplay.default": 0,
      "media.getusermedia.insecure.enabled": true,
      "media.navigator.permission.disabled": true,
    },
  });
  try {
    await use(browser);
  } finally {
    await browser.close();
  }
}

/** A page, and what it complains of from now on. */
export async function openPage(browser, address) {
  const page = await browser.newPage();
  page.setDefaultTimeout(WITHIN_MS);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(address);
  return { page, complaints };
}

/** Play the speech into the microphone, once. */
export function speak() {
  return spawn("paplay", ["--device=speech", speech], { stdio: "inherit" });
}

/** Begin to record in the recorder page, in English, with somebody speaking. */
export async function record(page, title) {
  await page.locator("::-p-aria(Title)").fill(title);
  await page.select("#spoken", "en");
  await page.locator("::-p-aria(Start recording)").click();
  await shows(page, "#status", "^Live");
  speak();
}

/** Return once an element of `selector` has a text that `pattern` matches; a page in the background shows nothing new. */
export async function shows(page, selector, pattern) {
  await page.bringToFront();
  const given = JSON.stringify([selector, pattern]);
  try {
    await page.waitForFunction(
      (one, words) => [...document.querySelectorAll(one)].some((it) => new RegExp(words).test(it.textContent)),
      { polling: 200 },
      selector,
      pattern,
    );
  } catch (error) {
    const text = await page.evaluate(() => document.body.innerText);
    throw new Error(`${given} is not shown: ${error}\n${text}`);
  }
}

/** The texts of the elements of `selector`. */
export function texts(page, selector) {
  return page.$$eval(selector, (found) => found.map((it) => it.textContent));
}
