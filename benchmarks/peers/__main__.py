"""Sets up the peers of `python -m benchmarks.capacity --against PEER`.

    python -m benchmarks.peers install whisperlive whisperlivekit
    python -m benchmarks.peers remove whisperlive

Each takes 6 GB of disk under UNDERTONE_CACHE and about two minutes. They run with the
weights that ``UNDERTONE_WHISPER_MODEL`` names.
"""

import argparse
import sys
from collections.abc import Sequence

from benchmarks.peers.environments import PINS, install, remove
from undertone.settings import read_settings


def main(arguments: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=str(__doc__).partition("\n")[0])
    parser.add_argument("what", choices=["install", "remove"])
    parser.add_argument("names", nargs="+", choices=sorted(PINS), metavar="PEER")
    given = parser.parse_args(arguments)
    cache = read_settings().cache
    for name in given.names:
        if given.what == "remove":
            remove(name, cache)
        else:
            print(f"{name}: {install(name, cache)}")


if __name__ == "__main__":
    main(sys.argv[1:])
