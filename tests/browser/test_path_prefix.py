"""The pages below a path prefix, behind a real nginx: everything is found, and what is said comes back as text."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Response, WebSocket, expect

from tests.browser.chromium import browser, hearing, open_page
from tests.browser.platform import Platform
from tests.nginx import nginx
from undertone.local.ports import free_ports

PREFIX = "/undertone"


@pytest.fixture
async def chromium(speech: Path) -> AsyncIterator[Browser]:
    async with browser(*hearing(speech)) as running:
        yield running


@pytest.mark.parametrize("path", ["/", "/history", "/record", "/session", "/no/where"])
async def test_a_page_asks_for_everything_below_the_prefix(
    platform: Platform, chromium: Browser, tmp_path: Path, path: str
) -> None:
    (port,) = free_ports(1)
    async with nginx(tmp_path / "nginx", platform.url, port, PREFIX) as url:
        page, complaints = await open_page(chromium, "about:blank")
        answers: list[Response] = []

        def note(answer: Response) -> None:  # Playwright takes no method of a list
            answers.append(answer)

        page.on("response", note)
        await page.goto(url + path)
        await expect(page.locator("#language")).to_have_text("한국어")
        await page.locator("#language").click()
        await expect(page.get_by_role("navigation")).to_contain_text("녹음")
        assert {answer.url[: len(url) + 1] for answer in answers} == {f"{url}/"}
        assert [answer.url for answer in answers if answer.status >= 400] == ([url + path] if "no" in path else [])
        assert len(complaints) == ("no" in path)  # Chromium names the page itself
        await page.get_by_role("navigation").get_by_role("link").nth(2).click()
        await expect(page).to_have_url(f"{url}/record")


async def test_a_recording_is_made_and_followed_below_the_prefix(
    platform: Platform, chromium: Browser, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    async with nginx(tmp_path / "nginx", platform.url, port, PREFIX) as url:
        page, _ = await open_page(chromium, "about:blank")
        sockets: list[WebSocket] = []

        def note(socket: WebSocket) -> None:
            sockets.append(socket)

        page.on("websocket", note)
        await page.goto(f"{url}/record")
        await page.locator("#start").click()
        watch = page.locator("#watch")
        await expect(watch).to_have_value(re.compile(f"^{re.escape(url)}/session\\?id="))
        assert sockets[0].url.startswith(f"{url.replace('http', 'ws', 1)}/v1/sessions/")
        viewer, _ = await open_page(chromium, await watch.input_value())
        await expect(viewer.locator("#story")).to_be_visible(timeout=60_000)
        await page.locator("#stop").click()
        await expect(page.locator("#open")).to_be_visible(timeout=60_000)
