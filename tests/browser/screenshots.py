"""Screenshots of every page for the documents: ``python -m tests.browser.screenshots OUT [NAME…]``.

Starts Undertone in a temporary home, stores a past and a present for it, records real speech in a real browser, and
looks at every page, wide and narrow, light and dark, in both languages; with names, at these pages alone.
"""

import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Literal, TypeAlias

from playwright.async_api import Browser, Page, expect
from pydantic import SecretStr

from tests.browser.chromium import browser, hearing
from tests.browser.crowd import Speaker
from tests.browser.long_session import keep
from tests.browser.microphone import CONVERSATION, write_speech
from tests.browser.platform import Platform, running_platform
from tests.browser.scenes import crowd, going_on, heard_so_far, past
from tests.viewing import Writer
from undertone.identifiers import make_session_id
from undertone.kafka import open_publisher
from undertone.local.kafka import with_embedded_kafka
from undertone.settings import Settings

_SPOKEN_MS = 90_000
_FEW = 10
_LINES = 17
"""So many lines of the call have been said while it is looked at."""


_FONTS = """<?xml version="1.0"?>
<fontconfig>
  <include>/etc/fonts/fonts.conf</include>
  <match target="pattern">
    <edit name="family" mode="prepend_first" binding="strong"><string>Noto Sans CJK KR</string></edit>
  </match>
</fontconfig>
"""


@dataclass(frozen=True)
class Look:
    """How a page is looked at."""

    name: str
    width: int
    height: int
    theme: Literal["light", "dark"] = "light"
    language: Literal["en", "ko"] = "en"


DESKTOP = Look("", 1280, 800)
DARK = Look("-dark", 1280, 800, theme="dark")
KOREAN = Look("-korean", 1280, 800, language="ko")
PHONE = Look("-phone", 390, 844)
PHONE_DARK_KOREAN = Look("-phone-dark-korean", 390, 844, theme="dark", language="ko")
SCREEN = Look("-screen", 2560, 1440, theme="dark")
ALL = (DESKTOP, DARK, KOREAN, PHONE, PHONE_DARK_KOREAN)


Ready: TypeAlias = Callable[[Page], Awaitable[object]]


class Photographer:
    """Opens pages of one Undertone, and puts what they look like into a folder."""

    def __init__(self, chromium: Browser, platform: Platform, now: datetime, out: Path) -> None:
        """``now`` is when the past that is stored was past."""
        self._chromium = chromium
        self.platform = platform
        self.now = now
        self._out = out

    async def open(self, path: str, look: Look = DESKTOP) -> Page:
        """A page, once it speaks, on a machine that fits."""
        is_phone = look.width < 500
        context = await self._chromium.new_context(
            locale="ko-KR" if look.language == "ko" else "en-US",
            timezone_id="Asia/Seoul" if look.language == "ko" else "Europe/London",
            viewport={"width": look.width, "height": look.height},
            has_touch=is_phone,
            is_mobile=is_phone,
        )
        page = await context.new_page()
        await page.goto(self.platform.url + path)
        await expect(page.locator("#language")).to_have_text(re.compile(r"\S"))
        return page

    async def shoot(self, page: Page, name: str, *looks: Look) -> None:
        """The page in these looks, without loading it anew."""
        for look in looks:
            await page.set_viewport_size({"width": look.width, "height": look.height})
            await page.emulate_media(color_scheme=look.theme, reduced_motion="reduce")
            if await page.locator("html").get_attribute("lang") != look.language:
                await page.locator("#language").dispatch_event("click")  # and no hand lies on it
            await expect(page.locator("#language")).to_have_text("English" if look.language == "ko" else "한국어")
            await page.wait_for_function(  # what is painted ten times a second is painted
                "() => new Promise(done => setTimeout(() => requestAnimationFrame(() => done(true)), 300))"
            )
            await page.screenshot(path=self._out / f"{name}{look.name}.png")

    async def shoot_each(self, path: str, name: str, ready: Ready, *looks: Look) -> None:
        """The same page in these looks, each on its own machine, once it is ``ready``."""
        for look in looks:
            page = await self.open(path, look)
            await ready(page)
            await self.shoot(page, name, look)
            await page.context.close()


async def record(photographer: Photographer) -> None:
    """In mid-recording."""
    page = await photographer.open("/record")
    await page.locator("#title").fill("Interview, second part")
    await page.locator("#tags").fill("interview")
    await page.locator("#spoken").select_option("en")
    await page.locator("#start").click()
    await expect(page.locator(".row").nth(1)).to_be_visible(timeout=_SPOKEN_MS)
    next_words = page.locator(".partial:not([hidden]), .row:nth-child(3)")  # a busy machine shows no partials
    await expect(next_words.first).to_be_visible(timeout=_SPOKEN_MS)
    await photographer.shoot(page, "record", *ALL)


async def live(photographer: Photographer) -> None:
    """The wall, with a few who speak, and with a crowd."""
    settings = settings_of(photographer.platform)
    speakers = crowd()
    async with open_publisher(settings) as publisher:
        writer = Writer(publisher, settings)
        for before, count, looks in ((0, _FEW, ALL), (_FEW, len(speakers), (SCREEN,))):
            said = [event for number in range(before, count) for event in speakers[number].speak(60 + number)]
            await keep(settings, said, f"crowd {count}")
            await photographer.shoot_each("/", "live", all_speak(writer, speakers[:count]), *looks)


def all_speak(writer: Writer, speakers: Sequence[Speaker]) -> Ready:
    """Once all of them are there, they say a little more."""

    async def is_told(page: Page) -> None:
        await expect(page.locator(".card").nth(len(speakers) - 1)).to_be_attached()
        shares = cycle((0.4, 0.9, 0.6, 1.0, 0.75))
        await writer.write(*(speaker.changing(share) for speaker, share in zip(speakers, shares, strict=False)))

    return is_told


async def session(photographer: Photographer) -> None:
    """A call while it goes on, and afterwards."""
    settings = settings_of(photographer.platform)
    over, *_ = past(photographer.now)
    going = make_session_id(round((datetime.now(UTC) - timedelta(seconds=92)).timestamp() * 1000), 99)
    await keep(settings, going_on(going, _LINES), "going")
    async with open_publisher(settings) as publisher:
        await Writer(publisher, settings).write(heard_so_far(going, _LINES, 7))

    async def changes(page: Page) -> None:
        await expect(page.locator(".partial-text")).to_be_visible()

    async def is_told(page: Page) -> None:
        await expect(page.locator("#quarters tr")).to_have_count(4)

    await photographer.shoot_each(f"/session?id={going}", "session-live", changes, DESKTOP)
    await photographer.shoot_each(f"/session?id={over}", "session", is_told, *ALL)


async def history(photographer: Photographer) -> None:
    """What was said, found."""

    async def is_found(page: Page) -> None:
        await expect(page.locator(".entry").first).to_be_visible()

    await photographer.shoot_each("/history?q=refund", "history-found", is_found, DESKTOP)
    await photographer.shoot_each("/history", "history", is_found, *ALL)


async def login(photographer: Photographer) -> None:
    """For who has a key: here nobody needs one, so the page is told that nobody has logged in."""
    page = await photographer.open("/record")
    await page.route("**/v1/login", lambda route: route.fulfill(json={"name": None, "rights": []}))
    await page.goto(f"{photographer.platform.url}/login")
    await photographer.shoot(page, "login", DESKTOP)


SCENES: dict[str, Callable[[Photographer], Awaitable[None]]] = {
    scene.__name__: scene for scene in (record, session, history, live, login)
}


def settings_of(platform: Platform) -> Settings:
    """Where the running one keeps what it has."""
    environment = platform.part("serve", "all").environ()
    home, database = Path(environment["UNDERTONE_HOME"]), SecretStr(environment["UNDERTONE_DATABASE"])
    return with_embedded_kafka(Settings(home=home, database=database))


async def take(platform: Platform, speech: Path, out: Path, names: list[str]) -> None:
    """These screenshots, as PNG files in ``out``."""
    now = datetime.now(UTC)
    await keep(settings_of(platform), [event for events in past(now).values() for event in events], "past")
    async with browser(*hearing(speech)) as chromium:
        for name in names:
            await SCENES[name](Photographer(chromium, platform, now, out))


def choose_font(folder: Path) -> None:
    """One font for both languages where it is installed, instead of what this machine happens to take for its own."""
    file = folder / "fonts.conf"
    file.write_text(_FONTS, encoding="utf-8")
    os.environ["FONTCONFIG_FILE"] = str(file)


def main() -> None:
    """The command."""
    folder, *names = sys.argv[1:]
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        choose_font(Path(scratch))
        speech = write_speech(Path(scratch) / "speech.wav", CONVERSATION)
        with running_platform(Path(scratch) / "home") as platform:
            asyncio.run(take(platform, speech, out, names or list(SCENES)))


if __name__ == "__main__":
    main()
