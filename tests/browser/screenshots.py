"""Screenshots of every page for the documents: ``python -m tests.browser.screenshots OUT``.

Starts Undertone with its demo in a temporary home, records real speech in a real browser, and looks at every page,
wide and narrow, light and dark, in both languages.
"""

import asyncio
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, expect

from tests.browser.chromium import browser, hearing
from tests.browser.microphone import CONVERSATION, SAD, write_speech
from tests.browser.platform import running_platform

_SPOKEN_MS = 90_000


@dataclass(frozen=True)
class Look:
    """How a page is looked at."""

    name: str
    width: int
    height: int
    theme: Literal["light", "dark"]
    language: Literal["en", "ko"]


LOOKS = (
    Look("", 1280, 800, "light", "en"),
    Look("-dark", 1280, 800, "dark", "en"),
    Look("-phone", 390, 844, "light", "en"),
    Look("-phone-dark-korean", 390, 844, "dark", "ko"),
    Look("-korean", 1280, 800, "light", "ko"),
)


async def take(url: str, speech: Path, out: Path) -> None:
    """All screenshots, as PNG files in ``out``."""
    async with browser(*hearing(speech)) as chromium:
        recorder = await _open(chromium, f"{url}/record")
        await recorder.locator("#title").fill("Interview, second part")
        await recorder.locator("#spoken").select_option("en")
        await recorder.locator("#start").click()
        await expect(recorder.locator(".row").nth(1)).to_be_visible(timeout=_SPOKEN_MS)
        next_words = recorder.locator(".partial:not([hidden]), .row:nth-child(3)")  # a busy machine shows no partials
        await expect(next_words.first).to_be_visible(timeout=_SPOKEN_MS)
        await _shoot(recorder, "record", out)
        home = await _open(chromium, url)
        await expect(home.locator(".card")).not_to_have_count(0)
        await _shoot(home, "sessions", out)
        await expect(recorder.locator(".row", has_text=SAD)).to_be_visible(timeout=_SPOKEN_MS)
        await recorder.locator("#stop").click()
        await expect(recorder.locator("#after")).to_be_visible(timeout=_SPOKEN_MS)
        session = await _open(chromium, await recorder.locator("#watch").input_value())
        await expect(session.locator("#time-line svg")).to_be_visible()
        await expect(session.locator("#quarters tr")).to_have_count(4)
        await _shoot(session, "session", out)
        history = await _open(chromium, f"{url}/history?q=the")
        await expect(history.locator("mark")).not_to_have_count(0)
        await _shoot(history, "history", out)


async def _shoot(page: Page, name: str, out: Path) -> None:
    """The page in every look, without loading it anew."""
    for look in LOOKS:
        await page.set_viewport_size({"width": look.width, "height": look.height})
        await page.emulate_media(color_scheme=look.theme, reduced_motion="reduce")
        if await page.locator("html").get_attribute("lang") != look.language:
            await page.locator("#language").click()
        await expect(page.locator("#language")).to_have_text("English" if look.language == "ko" else "한국어")
        if await page.locator("#totals").count():
            await expect(page.locator("#totals")).to_contain_text("긍정" if look.language == "ko" else "Positive")
        await page.wait_for_function(
            "() => { const line = document.querySelector('#time-line'); "
            "return !line || Math.abs(line.firstElementChild.clientWidth - line.clientWidth) < 2; }"
        )
        await page.screenshot(path=out / f"{name}{look.name}.png")
    await page.locator("#language").click()


async def _open(chromium: Browser, url: str) -> Page:
    context = await chromium.new_context(device_scale_factor=1.5, locale="en-US")
    page = await context.new_page()
    await page.goto(url)
    await expect(page.locator("#language")).to_have_text(re.compile(r"\S"))
    return page


def main() -> None:
    """The command."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        speech = write_speech(Path(folder) / "speech.wav", CONVERSATION)
        with running_platform(Path(folder) / "home", "--demo") as platform:
            asyncio.run(take(platform.url, speech, out))


if __name__ == "__main__":
    main()
