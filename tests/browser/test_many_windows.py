"""More windows of one browser than it opens connections: each is live, or says why it waits, and all of them load."""

from playwright.async_api import expect

from tests.browser.chromium import browser
from tests.browser.platform import Platform
from tests.waiting import until

WINDOWS = 8
LIVE = 5
WAITING = "Waiting for a connection"
DEADLINE_S = 60


async def test_eight_windows_load_and_those_that_wait_go_on_when_others_close(platform: Platform) -> None:
    async with browser("--disable-audio-input") as chromium:
        context = await chromium.new_context(locale="en-US")
        pages = [await context.new_page() for _ in range(WINDOWS)]
        for page in pages:
            await page.goto(platform.url)
            await expect(page.locator("#language")).to_have_text("한국어")

        async def waiting() -> int:
            return sum([await page.get_by_text(WAITING).is_visible() for page in pages])

        async def is_waiting_for(count: int) -> bool:
            assert await waiting() == count
            return True

        await until(lambda: is_waiting_for(WINDOWS - LIVE), DEADLINE_S)
        await pages[-1].goto(f"{platform.url}/history")  # the API answers beside all the streams
        await expect(pages[-1].get_by_role("navigation")).to_contain_text("Record")
        await expect(pages[-1].locator("#none, #results").first).to_be_attached()
        status = await pages[-1].evaluate("fetch('/v1/sessions').then((answer) => answer.status)")
        assert status == 200
        await until(lambda: is_waiting_for(WINDOWS - LIVE - 1), DEADLINE_S)
        for left in (1, 0):
            await pages.pop(0).close()
            await until(lambda left=left: is_waiting_for(left), DEADLINE_S)  # type: ignore[misc]
