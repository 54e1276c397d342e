"""The pages' modules that need no browser, on the node that Playwright brings along."""

import subprocess
from pathlib import Path

from playwright._impl._driver import compute_driver_executable

_MODULES = Path(__file__).parent / "modules"


def test_modules() -> None:
    node, _ = compute_driver_executable()
    tests = sorted(map(str, _MODULES.glob("*.test.js")))
    assert tests
    done = subprocess.run([node, "--test", *tests], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
