import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, record, shows, texts, url, withFirefox } from "./firefox.js";

// A busy machine loses some of what is played into the microphone, so single words have to do.
const PLEASED = "himself";
const SAD = "miserable";

test("speech is shown live to who records and who watches, and found again", () =>
  withFirefox(async (browser) => {
    const { page: recorder, complaints } = await openPage(browser, `${url}/record`);
    await record(recorder, "Heard by Firefox");
    const link = await recorder.$eval("#watch", (input) => input.value);
    const { page: watcher, complaints: watching } = await openPage(browser, link);
    const { page: wall, complaints: looking } = await openPage(browser, url);
    await shows(wall, ".card", "Heard by Firefox");
    for (const page of [watcher, recorder]) {
      await shows(page, ".row", PLEASED);
      await shows(page, ".row", SAD);
    }
    await recorder.bringToFront();
    await recorder.locator("::-p-aria(Stop)").click();
    await shows(recorder, "#status", "^Finished");
    await shows(watcher, "#state", "ended");
    assert.deepEqual(await texts(recorder, ".row-text"), await texts(watcher, ".row-text"));

    const { page: history, complaints: searching } = await openPage(browser, `${url}/history?q=miserable`);
    await shows(history, "mark", SAD);
    assert.deepEqual([complaints, watching, looking, searching].flat(), []);
  }));

test("what is said without a network is kept and sent later", () =>
  withFirefox(async (browser) => {
    const { page } = await openPage(browser, `${url}/record`);
    await record(page, "Offline in Firefox");
    await shows(page, "#time", "0:(0[2-9]|[1-5])");
    await page.setOfflineMode(true);
    await shows(page, "#status", "^Offline: keeping");
    await shows(page, "#time", "0:[1-5]");
    await page.setOfflineMode(false);
    await shows(page, "#status", "^Live");
    await shows(page, ".row", SAD);
    await shows(page, ".row", PLEASED);
    await page.locator("::-p-aria(Stop)").click();
    await shows(page, "#status", "^Finished");
    const heard = (await texts(page, ".row-text")).join("\n");
    assert.equal(heard.split(PLEASED).length, 2, heard);
    assert.equal(heard.split(SAD).length, 2, heard);
  }));
