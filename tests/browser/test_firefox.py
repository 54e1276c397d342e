"""The recorder and the pages in Firefox, which hears through a PulseAudio of its own. Puppeteer drives it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

from tests.browser.platform import Platform
from tests.waiting import until

_TESTS = Path(__file__).parent / "firefox"
_PROGRAMS = ("firefox-esr", "pulseaudio", "pactl", "paplay")
# An AudioContext without a device to play on stays suspended, so there are two: one to play on, one to hear from.
_SOUND = """
load-module module-native-protocol-unix
load-module module-null-sink sink_name=loudspeaker
load-module module-null-sink sink_name=speech
load-module module-remap-source master=speech.monitor source_name=microphone
set-default-sink loudspeaker
set-default-source microphone
"""


@pytest.fixture(scope="module")
def sound() -> Iterator[dict[str, str]]:
    """The environment of programs that play and hear through a sound server without devices."""
    if not os.environ.get("FIREFOX"):
        pytest.skip("sound gets lost where others use the machine: set FIREFOX=1 and run this file alone")
    assert [name for name in _PROGRAMS if shutil.which(name) is None] == [], "not installed"
    with tempfile.TemporaryDirectory() as folder:  # its socket's path may not be as long as those of pytest's folders
        environment = os.environ | {"XDG_RUNTIME_DIR": folder, "HOME": folder, "PULSE_SERVER": f"{folder}/pulse/native"}
        script = Path(folder, "sound.pa")
        script.write_text(_SOUND)
        command = ["pulseaudio", "-n", "-F", str(script), "--exit-idle-time=-1", "--disable-shm", "--daemonize=no"]
        with subprocess.Popen(command, env=environment) as server:
            try:
                yield environment
            finally:
                server.terminate()


async def test_firefox(platform: Platform, speech: Path, sound: dict[str, str]) -> None:
    def hears() -> bool:
        asked = subprocess.run(["pactl", "get-default-source"], env=sound, capture_output=True, text=True, check=False)
        return asked.stdout.strip() == "microphone"

    await until(hears, 20)
    node, _ = compute_driver_executable()
    given = {"PLATFORM_URL": platform.url, "SPEECH_WAV": str(speech), "FIREFOX": shutil.which("firefox-esr") or ""}
    tests = sorted(map(str, _TESTS.glob("*.test.js")))
    assert tests
    done = subprocess.run(
        [node, "--test", "--test-concurrency=1", *tests],
        env=sound | given,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
