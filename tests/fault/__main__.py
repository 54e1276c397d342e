"""``python -m tests.fault --count 200 --seed 7``: as many faults as one likes, and one line of figures at the end."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.fault.runs import run_faults


def main() -> int:
    """Run; 0 if nothing was lost, repeated or different."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="how many faults")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--only", nargs="*", default=(), help="those whose names begin so: kill 'die classifier'")
    parser.add_argument(
        "--folder", type=Path, help="where logs are kept; default: a temporary folder, deleted if all is well"
    )
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="undertone-faults-"))
    began_s = time.monotonic()
    figures = asyncio.run(run_faults(given.count, given.seed, folder, _tell, given.only))
    for complaint in figures.complaints:
        _tell(complaint)
    minutes = (time.monotonic() - began_s) / 60
    _tell(f"{figures}; {minutes:.1f} minutes, {60 * minutes / max(1, figures.faults):.1f} s a fault; logs in {folder}")
    return 0 if figures.is_clean else 1


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
