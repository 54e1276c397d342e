"""One process of one attacker: reads what it is given from standard input, attacks until that is closed.

    python -m benchmarks.hostile.attacker NAME

It runs at a lower priority than the platform: strangers have computers of their own, and what they spend on theirs must
not be taken from the server. Standard output gets a line when it begins, and at the end its tally as JSON.
"""

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Sequence

from benchmarks.hostile.attacks import ATTACKS
from benchmarks.hostile.stranger import Given, Stranger
from undertone.local.file_limit import raise_file_limit

NICENESS = 10


async def run(name: str) -> Stranger:
    """Attack until standard input ends."""
    loop = asyncio.get_running_loop()
    given = Given.from_json(json.loads(await loop.run_in_executor(None, sys.stdin.readline)))
    stranger = Stranger(given)
    attacking = asyncio.ensure_future(ATTACKS[name].run(stranger))
    print("begun", flush=True)
    ended = loop.run_in_executor(None, sys.stdin.readline)
    await asyncio.wait([attacking, ended], return_when=asyncio.FIRST_COMPLETED)
    if attacking.done():
        print(f"{name} ended early: {attacking.exception()!r}", file=sys.stderr)
        await ended
    attacking.cancel()
    await asyncio.wait([attacking], timeout=2)
    return stranger


def main(arguments: Sequence[str]) -> None:
    """The process."""
    os.nice(NICENESS)
    raise_file_limit()
    gc.freeze()
    stranger = asyncio.run(run(arguments[0]))
    stranger.tally.busy_s = time.process_time()
    print(json.dumps(stranger.tally.as_json()), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
