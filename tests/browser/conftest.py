"""What the browser tests share: one running Undertone, and the speech that its recorders hear."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.microphone import write_speech
from tests.browser.platform import Platform, running_platform

expect.set_options(timeout=20_000)  # five seconds, Playwright's default, are not enough where others use the cores too


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """`undertone up` in a fresh home, ready to transcribe."""
    with running_platform(tmp_path_factory.mktemp("platform") / "home") as running:
        yield running


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The WAV that the fake microphone plays."""
    return write_speech(tmp_path_factory.mktemp("speech") / "speech.wav")
