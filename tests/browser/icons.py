"""The icons that a manifest must have as PNG, drawn from ``icon.svg``: ``python -m tests.browser.icons``."""

import asyncio

from dashboards.pages import WEB
from tests.browser.chromium import browser

ICONS = {"icon-192.png": 192, "icon-512.png": 512, "icon-maskable.png": 512}
"""By size. A system cuts the maskable one to its own shape: its ground goes to the edges, and what it shows lies within
four fifths, as in all of them."""
_FILLED = "html, body { margin: 0 } svg { display: block; width: 100vw; height: 100vh }"
_TO_THE_EDGES = "rect { rx: 0 }"


async def draw() -> None:
    """Write them beside it."""
    drawing = (WEB / "icon.svg").read_text(encoding="utf-8")
    async with browser() as chromium:
        for name, size in ICONS.items():
            page = await chromium.new_page(viewport={"width": size, "height": size})
            style = _FILLED + (_TO_THE_EDGES if "maskable" in name else "")
            await page.set_content(f"<style>{style}</style>{drawing}")
            await page.screenshot(path=WEB / name, omit_background=True)


if __name__ == "__main__":
    asyncio.run(draw())
