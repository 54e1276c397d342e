"""Axe-core looks at a page as it is: what it finds that some people could not use."""

from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Page, expect

_LOOKS: tuple[tuple[str, Literal["light", "dark"]], ...] = (
    *(("en", "light"), ("en", "dark")),
    *(("ko", "dark"), ("ko", "light")),
)
_AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


async def violations(page: Page) -> list[str]:
    """What is wrong, each with its place; empty if nothing is found. Fails where axe-core is not installed."""
    assert _AXE.exists(), f"{_AXE} is missing: install npm, then run `npm ci` in the repository"
    await page.evaluate(_AXE.read_text(encoding="utf-8"))  # not as a script tag: the policy of the page forbids it
    found: list[dict[str, Any]] = await page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{each['id']}: {each['help']}: {', '.join(str(node['target']) for node in each['nodes'])}" for each in found
    ]


async def violations_in_every_look(page: Page) -> list[str]:
    """The same in both themes and both languages. The page is English and light before and after."""
    found = []
    for language, theme in _LOOKS:
        await page.emulate_media(color_scheme=theme)
        await _choose(page, language)
        found += [f"{language}, {theme}: {violation}" for violation in await violations(page)]
    await _choose(page, "en")
    return found


async def _choose(page: Page, language: str) -> None:
    if await page.locator("html").get_attribute("lang") != language:
        await page.locator("#language").dispatch_event("click")  # under a dialog too
    await expect(page.locator("#language")).to_have_text("English" if language == "ko" else "한국어")
