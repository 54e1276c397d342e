"""A Chromium for the browser tests: an installed one, else the system's package, else Playwright's own download."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = (
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_INSTALL_S = 600


@cache
def find_chromium() -> str | None:
    """The path of a Chromium, installed if need be; None for Playwright's own. Raises ``RuntimeError``."""
    found = _installed()
    if found or (_install_package() and (found := _installed())):
        return found
    command = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
    if done.returncode:
        raise RuntimeError(
            "the browser tests need Chromium and could neither find nor install it: install it as a package of the "
            f"system. Playwright's download said: {(done.stderr or done.stdout).strip()[-500:]}"
        )
    return None


@asynccontextmanager
async def browser(*flags: str) -> AsyncIterator[Browser]:
    """A headless Chromium with these flags besides the usual ones."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=find_chromium(), args=[*_usual_flags(), *flags])
        try:
            yield running
        finally:
            await running.close()


@asynccontextmanager
async def lasting_context(folder: Path) -> AsyncIterator[BrowserContext]:
    """A headless Chromium as people have it: what its pages keep lies in ``folder``."""
    async with async_playwright() as playwright:
        launch = playwright.chromium.launch_persistent_context
        running = await launch(folder, executable_path=find_chromium(), args=_usual_flags())
        try:
            yield running
        finally:
            await running.close()


def _usual_flags() -> list[str]:
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*_QUIET, *(["--no-sandbox"] if is_root else [])]


async def open_page(chromium: Browser, url: str, **wishes: Any) -> tuple[Page, list[str]]:
    """A page in a context of its own (English, but for ``wishes``), and what its console complains of from now on."""
    context = await chromium.new_context(**{"locale": "en-US", **wishes})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    await page.goto(url)
    return page, complaints


def hearing(wav: Path) -> tuple[str, ...]:
    """Flags of a browser that gives out the microphone unasked, and hears ``wav`` once, then silence."""
    return (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={wav}%noloop",
    )


def from_second(second: int) -> re.Pattern[str]:
    """Matches a shown time of ``second`` (below 60) or later: a slow machine may never show a certain one."""
    return re.compile(f"^(0:({'|'.join(f'{later:02}' for later in range(second, 60))})|[1-9]\\d*:\\d\\d)$")


def _installed() -> str | None:
    return next(filter(None, map(shutil.which, _NAMES)), None)


def _install_package() -> bool:
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return False
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "chromium"]):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_INSTALL_S, check=False)
        if done.returncode:
            return False
    return True
