"""A recording that is relied upon: without a network, without its tab, without its microphone, and without a mouse."""

import re
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
from playwright.async_api import Error, Locator, Page, expect

from tests.browser.axe import violations
from tests.browser.chromium import browser, from_second, hearing, open_page
from tests.browser.microphone import PLEASED, SAD
from tests.browser.platform import Platform
from tests.waiting import until

SPOKEN_MS = 40_000
FINISHED_MS = 30_000
LIVE = re.compile(r"^Live, [\d.]+\ss behind$")
OFFLINE = re.compile(r"^Offline: keeping [\d.]+\ss$")
FINISHED = re.compile("^Finished")


async def test_minutes_without_a_network_change_nothing_of_what_is_heard(platform: Platform, speech: Path) -> None:
    async with browser(*hearing(speech)) as chromium:
        calm, _ = await open_page(chromium, f"{platform.url}/record")
        rough, _ = await open_page(chromium, f"{platform.url}/record")
        for page in (calm, rough):
            await start(page)
        await expect(rough.locator("#time")).to_have_text(from_second(3))
        await rough.context.set_offline(True)
        await expect(rough.locator("#status")).to_have_text(OFFLINE)
        await expect(rough.locator("#time")).to_have_text(from_second(10), timeout=10_000)
        assert not await rough.locator(".row").count()
        await rough.context.set_offline(False)
        await expect(rough.locator("#status")).to_have_text(LIVE, timeout=20_000)
        for page in (calm, rough):
            await expect(page.locator(".row", has_text=SAD)).to_be_visible(timeout=SPOKEN_MS)
            await page.get_by_role("button", name="Stop").click()
            await expect(page.locator("#status")).to_have_text(FINISHED, timeout=FINISHED_MS)
        heard = [await transcript(platform, page) for page in (calm, rough)]
        assert PLEASED in heard[0]
        # Two pages begin at two samples of the same sound, and a capital or a comma may hang on that.
        calm_words, rough_words = (re.findall(r"[\w']+", text.lower()) for text in heard)
        assert calm_words == rough_words


async def test_a_tab_that_is_gone_takes_nothing_with_it(platform: Platform, speech: Path) -> None:
    async with browser(*hearing(speech)) as chromium:
        page, _ = await open_page(chromium, f"{platform.url}/record")
        context = page.context
        await page.get_by_label("Title").fill("Interrupted")
        await page.get_by_label("Tags").fill("interview, second part")
        await start(page)
        other = await context.new_page()
        await other.goto(f"{platform.url}/record")
        await expect(page.locator("#time")).to_have_text(from_second(2))
        await context.set_offline(True)
        # the first sentence is said meanwhile
        await expect(page.locator("#time")).to_have_text(from_second(10), timeout=10_000)
        await expect(other.locator("#unfinished")).to_be_hidden()
        await crash(page)
        await context.set_offline(False)

        page = await context.new_page()
        await page.goto(f"{platform.url}/record")
        await expect(page.locator(".offer")).to_contain_text("Interrupted")
        await expect(page.locator(".offer")).to_contain_text(re.compile(r"\d+\ss of it are only on this device"))
        for theme in ("light", "dark"):
            await page.emulate_media(color_scheme=theme)
            assert await violations(page) == []
        await other.reload()
        await expect(other.locator(".offer")).to_contain_text("Interrupted")
        await page.get_by_role("button", name="Go on recording").click()
        await expect(page.locator("#status")).to_have_text(LIVE, timeout=20_000)
        await expect(page.get_by_label("Tags")).to_have_value("interview, second part")
        await expect(page.locator(".row", has_text=PLEASED)).to_have_count(1, timeout=SPOKEN_MS)
        await other.get_by_role("button", name="Finish it").click()
        await expect(other.get_by_role("alert")).to_have_text("Another page is at it, or has finished it.")
        await expect(other.locator("#unfinished")).to_be_hidden()

        await expect(page.locator(".row", has_text=PLEASED)).to_have_count(2, timeout=SPOKEN_MS)
        await page.reload()  # nobody is asked: there is nothing that would be lost
        await page.get_by_role("button", name="Finish it").click()
        await expect(page.locator("#status")).to_have_text(FINISHED, timeout=FINISHED_MS)
        session = await session_of(platform, page)
        assert (session["title"], session["tags"]) == ("Interrupted", ["interview", "second part"])
        assert (await transcript(platform, page)).count(PLEASED) == 2
        await page.reload()
        await expect(page.locator("#status")).to_have_text("Ready")
        await expect(page.locator("#unfinished")).to_be_hidden()


async def test_what_cannot_be_taken_up_any_more_is_said_and_let_go(platform: Platform, speech: Path) -> None:
    async with browser(*hearing(speech)) as chromium:
        page, _ = await open_page(chromium, f"{platform.url}/record")
        await start(page)
        session = await session_of(platform, page)
        await page.reload()
        await expect(page.locator(".offer")).to_be_visible()
        httpx.delete(f"{platform.url}/v1/sessions/{session['session_id']}").raise_for_status()
        await page.get_by_role("button", name="Go on recording").click()
        await expect(page.locator("#status")).to_have_text(re.compile(r"^Stopped: .*deleted"))
        await page.reload()
        await expect(page.locator("#status")).to_have_text("Ready")
        await expect(page.locator("#unfinished")).to_be_hidden()


async def test_the_keyboard_alone_records_and_replaces_a_microphone_that_is_gone(
    platform: Platform, speech: Path
) -> None:
    async with browser(*hearing(speech)) as chromium:
        page, _ = await open_page(chromium, f"{platform.url}/record", permissions=["microphone"])
        microphone = page.get_by_role("combobox", name="Microphone")
        await reach(page, microphone)
        await page.keyboard.type("Fake Audio Input 1")
        await expect(microphone.locator("option:checked")).to_have_text("Fake Audio Input 1")
        await page.reload()
        await expect(microphone.locator("option:checked")).to_have_text("Fake Audio Input 1")
        await reach(page, page.get_by_label("Spoken language"))
        await page.keyboard.type("English")
        await reach(page, page.get_by_role("button", name="Start recording"))
        await page.keyboard.press("Enter")
        await expect(page.locator("#status")).to_have_text(LIVE)
        await expect(page.locator(".row", has_text=PLEASED)).to_be_visible(timeout=SPOKEN_MS)
        await reach(page, page.get_by_role("button", name="Pause"))
        await page.keyboard.press("Enter")
        await expect(page.locator("#status")).to_have_text("Paused")
        await page.keyboard.press("Enter")
        await expect(page.locator("#status")).to_have_text(LIVE)

        pull_out_microphones()
        await expect(page.locator("#status")).to_have_text("Paused: the microphone is gone")
        await expect(page.get_by_role("alert")).to_contain_text("choose another")
        await reach(page, microphone)
        await page.keyboard.type("Fake Audio Input 2")
        await reach(page, page.get_by_role("button", name="Go on"))
        await page.keyboard.press("Enter")
        await expect(page.locator("#status")).to_have_text(LIVE)
        await expect(page.get_by_role("alert")).to_be_hidden()
        await expect(page.locator(".row", has_text=PLEASED)).to_have_count(2, timeout=SPOKEN_MS)
        await reach(page, page.get_by_role("button", name="Stop"))
        await page.keyboard.press("Enter")
        await expect(page.locator("#status")).to_have_text(FINISHED, timeout=FINISHED_MS)
        await expect(page.get_by_role("link", name="Open the session")).to_be_focused()
        assert (await transcript(platform, page)).count(PLEASED) == 2


async def start(page: Page) -> None:
    await page.get_by_label("Spoken language").select_option("en")
    await page.get_by_role("button", name="Start recording").click()
    await expect(page.locator("#status")).to_have_text(LIVE)


async def crash(page: Page) -> None:
    """The tab's process ends, without a word to the page."""
    async with page.expect_event("crash"):
        with suppress(Error):  # the navigation has no end
            await page.goto("chrome://crash")
    await page.close()


def pull_out_microphones() -> None:
    """The system's end of every microphone is gone: the browser's process for sound ends."""
    services = [
        process
        for process in psutil.Process().children(recursive=True)
        if any("audio.mojom.AudioService" in word for word in process.cmdline())
    ]
    assert services
    for service in services:
        service.kill()


async def reach(page: Page, control: Locator) -> None:
    """Go there with the Tab key."""
    await expect(control).to_be_enabled()
    for _ in range(30):
        if await control.evaluate("it => it === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError("the Tab key does not lead there")


async def session_of(platform: Platform, page: Page) -> dict[str, object]:
    link = httpx.URL(await page.locator("#watch").input_value())
    found: dict[str, object] = httpx.get(f"{platform.url}/v1/sessions/{link.params['id']}").raise_for_status().json()
    return found


async def transcript(platform: Platform, page: Page) -> str:
    """What is stored of the page's session once it has ended."""

    async def ended() -> str | None:
        session = await session_of(platform, page)
        return str(session["session_id"]) if session["state"] == "ended" else None

    session_id = await until(ended, 20)
    stored = httpx.get(f"{platform.url}/v1/sessions/{session_id}/utterances").raise_for_status().json()["utterances"]
    return "\n".join(each["text"] for each in stored if each["text"])
