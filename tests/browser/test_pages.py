"""What the pages say in two languages and two themes, and when something is wrong."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Browser, Request, expect

from tests.browser.axe import violations_in_every_look
from tests.browser.chromium import browser, open_page
from tests.browser.platform import ANOTHER_NAME, Platform

PAGES = ("/", "/history", "/record", "/session")
UNKNOWN = "01890000-0000-7000-8000-000000000000"


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """A browser without a microphone."""
    async with browser("--disable-audio-input") as running:
        yield running


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_asks_this_origin_for_everything_and_needs_no_inline_code(
    platform: Platform, chromium: Browser, path: str
) -> None:
    page, complaints = await open_page(chromium, "about:blank")
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(urlsplit(request.url).netloc)

    page.on("request", note)
    answer = await page.goto(platform.url + path)
    await expect(page.locator("#language")).to_have_text("한국어")
    assert set(asked) == {urlsplit(platform.url).netloc}
    assert complaints == []  # a violation of the content security policy is one
    assert answer
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_comes_in_the_readers_language_and_changes_it_in_place(
    platform: Platform, chromium: Browser, path: str
) -> None:
    page, _ = await open_page(chromium, platform.url + path, locale="ko-KR")
    navigation = page.get_by_role("navigation")
    await expect(navigation).to_contain_text("녹음")
    await page.get_by_role("button", name="English").click()
    await expect(navigation).to_contain_text("Record")
    await page.reload()
    await expect(navigation).to_contain_text("Record")
    assert "{" not in await page.inner_text("body")


async def test_the_theme_follows_the_system_until_one_is_chosen(platform: Platform, chromium: Browser) -> None:
    page, _ = await open_page(chromium, platform.url, color_scheme="dark")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    dark = await page.evaluate(ground)
    await page.get_by_role("button", name="Switch between light and dark").click()
    light = await page.evaluate(ground)
    assert light != dark
    tint = "document.querySelector('meta[name=theme-color]:not([media*=light])').content"
    assert await page.evaluate(tint) == light
    await page.reload()
    assert await page.evaluate(ground) == light
    await page.wait_for_function(f"light => {tint} === light", arg=light)


@pytest.mark.parametrize("width", [360, 820, 1280, 2560])
@pytest.mark.parametrize("path", PAGES)
async def test_a_page_fits_the_screen(platform: Platform, chromium: Browser, path: str, width: int) -> None:
    page, _ = await open_page(chromium, platform.url + path, viewport={"width": width, "height": 800})
    await expect(page.locator("#language")).to_have_text("한국어")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_without_a_microphone_the_recorder_says_so_and_makes_no_session(
    platform: Platform, chromium: Browser
) -> None:
    page, _ = await open_page(chromium, f"{platform.url}/record", permissions=["microphone"])
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    await page.get_by_role("button", name="Start recording").click()
    await expect(page.get_by_role("alert")).to_have_text("No microphone was found. Plug one in, then start again.")
    await expect(page.get_by_role("button", name="Start recording")).to_be_enabled()
    assert posted == []


async def test_a_denied_microphone_has_its_remedy(platform: Platform) -> None:
    async with browser("--use-fake-device-for-media-stream", "--deny-permission-prompts") as chromium:
        page, _ = await open_page(chromium, f"{platform.url}/record")
        await page.get_by_role("button", name="Start recording").click()
        await expect(page.get_by_role("alert")).to_contain_text("Allow it for this page")
        assert await violations_in_every_look(page) == []


async def test_an_insecure_address_has_its_remedy(platform: Platform) -> None:
    async with browser(f"--host-resolver-rules=MAP {ANOTHER_NAME} 127.0.0.1") as chromium:
        port = urlsplit(platform.url).port
        page, _ = await open_page(chromium, f"http://{ANOTHER_NAME}:{port}/record")
        await page.get_by_role("button", name="Start recording").click()
        await expect(page.get_by_role("alert")).to_contain_text("https://")


async def test_a_link_that_opens_nothing_says_why(platform: Platform, chromium: Browser) -> None:
    page, _ = await open_page(chromium, f"{platform.url}/session?id={UNKNOWN}")
    await expect(page.locator("#notice")).to_have_text(
        "There is no such session. It may have been deleted, or the link is not complete."
    )
    assert await violations_in_every_look(page) == []
    await page.goto(f"{platform.url}/session?id={UNKNOWN}&token=forged")
    await expect(page.locator("#notice")).to_contain_text("the token is not one that this server made")
    await page.goto(f"{platform.url}/session")
    await expect(page.locator("#notice")).to_have_text("This link names no session.")


async def test_markup_in_a_title_stays_text(platform: Platform, chromium: Browser) -> None:
    title = "<img src=x onerror=alert(1)><b>bold</b>"
    made = httpx.post(f"{platform.url}/v1/sessions", json={"title": title}).json()
    page, complaints = await open_page(chromium, f"{platform.url}/session?id={made['session_id']}")
    await expect(page.get_by_role("heading", level=1)).to_have_text(title)
    assert await page.locator("h1 *").count() == 0
    assert complaints == []
