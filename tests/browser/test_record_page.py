"""The page to speak into: without a network, out of sight, asleep, and where the browser refuses something."""

import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from playwright.async_api import Browser, Dialog, Page, WebSocket, expect

from tests.browser.chromium import browser, hearing, open_page
from tests.browser.microphone import PLEASED
from tests.browser.platform import Platform
from tests.browser.tabs import Tab, open_tab
from tests.browser.test_recording import FINISHED, FINISHED_MS, LIVE, OFFLINE, SPOKEN_MS, start
from tests.waiting import until
from tests.wires import Wires, open_wires

OFFLINE_IN_KOREAN = re.compile(r"^오프라인: [\d.]+초 분량 보관 중$")
RATE = 16_000
HEADER_BYTES = 8
ASLEEP_S = 4

IS_DRAWN = "icon => icon.getBoundingClientRect().width > 0 && icon.querySelector('use').getBBox().width > 0"
LOCKS = """{
  const request = WakeLock.prototype.request;
  globalThis.locks = [];
  WakeLock.prototype.request = async function (kind) {
    const lock = await request.call(this, kind);
    locks.push(lock);
    return lock;
  };
}"""
LONG_HIDDEN = """{
  // nearly what Chromium does to the timers of a page that was hidden for five minutes, which a test has not
  const [later, often] = [setTimeout, setInterval];
  const seen = call => () => (document.hidden ? later(seen(call), 100) : call());
  globalThis.setTimeout = (call, ms) => later(seen(call), ms);
  globalThis.setInterval = (call, ms) => often(() => document.hidden || call(), ms);
}"""
WRITTEN_AT = """new Promise(resolve => {
  indexedDB.open("undertone.recorder", 1).onsuccess = ({ target: { result } }) => {
    const all = result.transaction("recordings").objectStore("recordings").getAll();
    all.onsuccess = () => resolve(Math.max(...all.result.map(({ writtenAt }) => writtenAt)));
  };
})"""
SHARING = """sessionStorage.shared ??= "";
navigator.share = async data => {
  sessionStorage.shared += JSON.stringify(data);
  if (globalThis.refusal) throw new DOMException("no", refusal);
}"""


@pytest.fixture
async def chromium(speech: Path) -> AsyncIterator[Browser]:
    async with browser(*hearing(speech)) as running:
        yield running


@pytest.fixture
async def wires(platform: Platform) -> AsyncIterator[Wires]:
    """What leads to the platform: Chromium's offline mode leaves out what workers and worklets ask for."""
    async with open_wires(urlsplit(platform.url).port or 80) as running:
        yield running


async def test_without_a_network_the_page_has_all_that_it_needs(wires: Wires, chromium: Browser) -> None:
    page, _ = await open_page(chromium, f"http://127.0.0.1:{wires.port}/record", permissions=["microphone"])
    asked: list[Dialog] = []

    def note(dialog: Dialog) -> None:
        asked.append(dialog)

    page.on("dialog", note)
    await start(page)
    await unplug(page, wires)

    # another language, as a whole
    await page.get_by_role("button", name="한국어").click()
    await expect(page.locator("#status")).to_have_text(OFFLINE_IN_KOREAN)
    await expect(page.locator("html")).to_have_attribute("lang", "ko")
    await expect(page.get_by_role("navigation")).to_contain_text("녹음")
    await page.get_by_role("button", name="English").click()
    await expect(page.locator("#status")).to_have_text(OFFLINE)

    # a pause, and one microphone after another
    for number in (1, 2, 1):
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_role("button", name="Go on")).to_be_visible()
        assert await page.locator("#goon-icon").evaluate(IS_DRAWN)
        await page.get_by_role("combobox", name="Microphone").select_option(label=f"Fake Audio Input {number}")
        await page.get_by_role("button", name="Go on").click()
        await expect(page.get_by_role("button", name="Pause")).to_be_visible(timeout=10_000)
        assert await page.locator("#pause-icon").evaluate(IS_DRAWN)
        await expect(page.get_by_role("alert")).to_have_count(0)

    # whoever would leave something unsent is asked, and may stay
    await expect(page.locator("#status")).to_have_text(re.compile(r"keeping ([4-9]|\d\d)"), timeout=20_000)
    await page.evaluate("void setTimeout(() => location.reload())")
    await until(lambda: asked, 10)
    assert asked[0].type == "beforeunload"
    await asked[0].dismiss()
    await plug_in(page, wires)
    await expect(page.locator(".row", has_text=PLEASED)).to_be_visible(timeout=SPOKEN_MS)

    # with everything sent nobody is asked; and what is unfinished is taken up without a network as well
    await page.reload()
    assert len(asked) == 1
    await expect(page.get_by_role("button", name="Go on recording")).to_be_visible()
    await unplug(page, wires, "Ready")
    await page.get_by_role("button", name="Go on recording").click()
    await expect(page.locator("#status")).to_have_text(re.compile("keeping [4-9]"), timeout=15_000)
    assert await page.evaluate("Date.now()") - await page.evaluate(WRITTEN_AT) < 3000  # its clock ticks
    await plug_in(page, wires)
    await page.get_by_role("button", name="Stop").click()
    await expect(page.locator("#status")).to_have_text(FINISHED, timeout=FINISHED_MS)


async def test_a_tab_out_of_sight_records_on_and_keeps_the_screen_on_when_it_is_back(
    platform: Platform, wires: Wires, chromium: Browser
) -> None:
    url = f"http://127.0.0.1:{wires.port}"
    session = await chromium.new_browser_cdp_session()
    wake_lock = {"permission": {"name": "screen-wake-lock"}, "setting": "granted", "origin": url}
    await session.send("Browser.setPermission", wake_lock)
    tab = await open_tab(chromium, f"{url}/record", LOCKS, LONG_HIDDEN)
    await until(lambda: tab.evaluate("document.getElementById('start')?.disabled === false"), 20, "it is ready")
    await tab.evaluate("document.getElementById('spoken').value = 'en'; document.getElementById('start').click()")
    await says(tab, LIVE.pattern)
    await until(lambda: held(tab), 5, "the screen is kept on")
    link = httpx.URL(await tab.evaluate("document.getElementById('watch').value"))

    other = await open_tab(chromium, f"{url}/app.css")
    await until(lambda: tab.evaluate("document.hidden"), 5)
    assert not await held(tab)
    written_at = await other.evaluate(WRITTEN_AT)
    wires.cut()

    async def is_heard() -> bool:
        answer = httpx.get(f"{platform.url}/v1/sessions/{link.params['id']}/utterances").raise_for_status()
        return any(PLEASED in each["text"] for each in answer.json()["utterances"])

    await until(is_heard, SPOKEN_MS / 1000, "the words of a hidden page")
    assert await other.evaluate(WRITTEN_AT) > written_at + 2000
    assert await tab.evaluate("document.hidden")

    await tab.show()
    await until(lambda: held(tab), 5, "the screen is kept on again")
    assert await tab.evaluate("document.getElementById('awake').hidden")
    await tab.evaluate("document.getElementById('pause').click()")
    await says(tab, "Paused")
    assert not await held(tab)


async def test_a_machine_that_sleeps_leaves_a_gap_as_long(platform: Platform, chromium: Browser) -> None:
    page, _ = await open_page(chromium, "about:blank")
    sent = Sent()
    page.on("websocket", sent.follow)
    await page.goto(f"{platform.url}/record")
    await start(page)
    await until(lambda: sent.samples > RATE, 10)
    browsers = [each for each in psutil.Process().children(recursive=True) if "chrom" in each.name()]
    try:
        for process in browsers:
            process.suspend()
        wakes_at = time.monotonic() + ASLEEP_S
        await until(lambda: time.monotonic() > wakes_at, 2 * ASLEEP_S)
    finally:
        for process in browsers:
            process.resume()
    await until(lambda: sent.gap_samples, 15)
    assert sent.gap_samples == pytest.approx(ASLEEP_S * RATE, abs=1.5 * RATE)
    samples = sent.samples
    await until(lambda: sent.samples > samples + RATE, 10, "it goes on")
    await expect(page.locator("#status")).to_have_text(LIVE)


async def test_the_link_is_copied_or_shared_and_what_the_browser_refuses_is_told(
    platform: Platform, chromium: Browser
) -> None:
    url = f"{platform.url}/record"
    allowed = ["microphone", "clipboard-read", "clipboard-write"]
    page, _ = await open_page(chromium, url, permissions=allowed)
    await expect(page.locator("#share")).to_be_hidden()  # this browser has no way to share
    await start(page)
    link = await page.locator("#watch").input_value()
    await expect(page.locator("#awake")).to_be_visible()  # and this page may not keep the screen on
    await page.get_by_role("button", name="Copy the link").click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == link

    page, _ = await open_page(chromium, "about:blank", permissions=["microphone"])
    await page.add_init_script(SHARING)
    await page.goto(url)
    await page.get_by_label("Title").fill("A walk")
    await start(page)
    link = await page.locator("#watch").input_value()
    trouble = page.locator("#link-trouble")
    await page.get_by_role("button", name="Copy the link").click()
    await expect(trouble).to_contain_text("does not let this page copy")
    assert await page.evaluate("getSelection().toString()") == link
    share = page.get_by_role("button", name="Share the link")
    await share.click()
    await expect(trouble).to_be_hidden()
    assert json.loads(await page.evaluate("sessionStorage.shared")) == {"title": "A walk", "url": link}
    for refusal, is_told in (("AbortError", False), ("NotAllowedError", True)):
        await page.evaluate("name => (globalThis.refusal = name)", refusal)
        await share.click()
        await expect(trouble).to_be_visible(visible=is_told)
    await expect(trouble).to_have_text("The link could not be shared. Copy it instead.")


class Sent:
    """What a page sends over its socket."""

    samples = 0
    gap_samples = 0
    _next = 0

    def follow(self, socket: WebSocket) -> None:
        """Count what goes over this one."""
        socket.on("framesent", self._count)

    def _count(self, payload: str | bytes) -> None:
        if isinstance(payload, bytes):
            samples = (len(payload) - HEADER_BYTES) // 2
            self.samples += samples
            self._next = int.from_bytes(payload[:HEADER_BYTES], "little") + samples
        elif (said := json.loads(payload))["type"] == "gap":
            self.gap_samples += said["next_sample"] - self._next
            self._next = said["next_sample"]


async def unplug(page: Page, wires: Wires, status: str | re.Pattern[str] = OFFLINE) -> None:
    wires.take_down()
    await page.context.set_offline(True)
    await expect(page.locator("#status")).to_have_text(status)


async def plug_in(page: Page, wires: Wires) -> None:
    wires.is_down = False
    await page.context.set_offline(False)
    await expect(page.locator("#status")).to_have_text(LIVE, timeout=20_000)


async def says(tab: Tab, pattern: str) -> None:
    async def matches() -> bool:
        said = await tab.evaluate("document.getElementById('status')?.textContent ?? ''")
        assert re.search(pattern, said), said
        return True

    await until(matches, 20, pattern)


async def held(tab: Tab) -> bool:
    """Whether the page keeps the screen on."""
    return bool(await tab.evaluate("locks.some(lock => !lock.released)"))
