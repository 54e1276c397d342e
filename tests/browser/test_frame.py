"""What all pages share, without a server behind them: they wait and fail for everybody, and they can be installed."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, expect
from starlette.applications import Starlette
from starlette.routing import Mount

from dashboards.pages import WEB, Pages
from tests.browser.axe import violations_in_every_look
from tests.browser.chromium import browser, lasting_context, open_page
from tests.browser.icons import ICONS
from tests.viewing import served
from undertone.headers import SafeHeaders

TROUBLE = re.compile("again")
PAGES = ("/", "/history", "/record", "/session?id=01890000-0000-7000-8000-000000000000", "/login")

DIFFERENCE = """async ([drawing, icon, size, ground]) => {
  const pixels = async path => {
    const image = new Image();
    image.src = path;
    await image.decode();
    const canvas = new OffscreenCanvas(size, size);
    const context = canvas.getContext("2d");
    context.fillStyle = ground;
    context.fillRect(0, 0, size, size);
    context.drawImage(image, 0, 0, size, size);
    return { image, data: context.getImageData(0, 0, size, size).data };
  };
  const [drawn, kept] = [await pixels(drawing), await pixels(icon)];
  const apart = drawn.data.reduce((sum, value, n) => sum + Math.abs(value - kept.data[n]), 0);
  return [kept.image.naturalWidth, kept.image.naturalHeight, apart / drawn.data.length];
}"""


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with browser() as running:
        yield running


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """The files of the pages alone."""
    async with served(SafeHeaders(Starlette(routes=[Mount("/", Pages(directory=WEB, html=True))]))) as url:
        yield url


@pytest.mark.parametrize("path", PAGES)
async def test_axe_finds_nothing_wrong_while_a_page_waits_and_where_nothing_answers(
    chromium: Browser, address: str, path: str
) -> None:
    page, _ = await open_page(chromium, "about:blank")
    is_over = asyncio.Event()

    async def hold(route: Route) -> None:
        await is_over.wait()
        await route.abort()

    await page.route("**/v1/**", hold)
    await page.goto(address + path)
    await expect(page.locator("#language")).to_have_text("한국어")
    assert await violations_in_every_look(page) == []
    is_over.set()
    if path in ("/", "/history"):
        await expect(page.locator("#notice, #trouble").filter(visible=True)).to_have_text(TROUBLE, timeout=20_000)
    assert await violations_in_every_look(page) == []


async def test_chromium_would_install_it(address: str, tmp_path: Path) -> None:
    async with lasting_context(tmp_path) as context:  # from a private window nothing is installed
        page = await context.new_page()
        await page.goto(address)
        await check_installable(page, address)


async def check_installable(page: Page, address: str) -> None:
    client = await page.context.new_cdp_session(page)
    manifest = await client.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"] == f"{address}/manifest.webmanifest"
    assert (await client.send("Page.getInstallabilityErrors"))["installabilityErrors"] == []
    icons = await client.send("Page.getManifestIcons")
    assert icons["primaryIcon"], "a picture was found for it"


async def test_the_icons_are_those_that_the_drawing_gives(chromium: Browser, address: str) -> None:
    page, _ = await open_page(chromium, f"{address}/app.css")
    for name, size in ICONS.items():
        ground = "#3d4f9f" if "maskable" in name else "#ffffff"
        width, height, apart = await page.evaluate(DIFFERENCE, ["/icon.svg", f"/{name}", size, ground])
        assert (width, height) == (size, size)
        assert apart < 1, name
