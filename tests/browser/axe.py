"""Axe-core looks at a page as it is: what it finds that some people could not use."""

from pathlib import Path
from typing import Any

from playwright.async_api import Page

_AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


async def violations(page: Page) -> list[str]:
    """What is wrong, each with its place; empty if nothing is found. Fails where axe-core is not installed."""
    assert _AXE.exists(), f"{_AXE} is missing: install npm, then run `npm ci` in the repository"
    await page.evaluate(_AXE.read_text(encoding="utf-8"))  # not as a script tag: the policy of the page forbids it
    found: list[dict[str, Any]] = await page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{each['id']}: {each['help']}: {', '.join(str(node['target']) for node in each['nodes'])}" for each in found
    ]
