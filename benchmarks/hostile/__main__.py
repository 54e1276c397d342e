"""Attackers beside three honest speakers and 50 viewers, through all of `undertone up`: who is harmed, and how much?

    python -m benchmarks.hostile MANIFEST… [--minutes 3] [--only ATTACKER]… [--each] [--viewers 50] [--json]

The honest clients play the same round twice, first alone, then beside all attackers at once. Each attacker has an
address (127.0.1.N) and an API key of its own, and otherwise what any stranger has. The table shows each figure in both
rounds, its bound and the verdict: finals' 95th percentile at most twice the undisturbed one, each process at most 1.5
times its undisturbed memory plus 100 MB, and nothing lost: every utterance as in the undisturbed round, everything that
was acknowledged heard, every final seen once by every viewer, every health check answered, no process ended. A second
table shows what each attacker got. The exit status is 1 if a bound is broken.

Addresses 127.0.1.N need Linux. Run nothing beside it: the bounds are for a machine that does nothing else.
"""

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.capacity.undertone import running_up
from benchmarks.clips import read_clips
from benchmarks.hostile.attacks import ATTACKS
from benchmarks.hostile.figures import Round, judge, table
from benchmarks.hostile.past import HOURS, database_of, make_session_keys, store_long_session
from benchmarks.hostile.rounds import House, play
from benchmarks.hostile.stranger import Given
from benchmarks.hostile.tally import Tally, tally_table
from benchmarks.materials import Material, join_clips
from undertone.access.keys import make_key
from undertone.access.rights import Right
from undertone.local.file_limit import raise_file_limit

SEED = 20260101
SPEAKERS = 3
VIEWERS = 50
FRESH = 32


@dataclass(frozen=True)
class Result:
    """One disturbed round beside the undisturbed one, and what the attackers got."""

    undisturbed: Round
    disturbed: Round
    tallies: Mapping[str, Tally]

    def told(self) -> str:
        """Both tables, and what went wrong in words."""
        troubles = [f"a recording failed: {one.trouble}" for one in self.disturbed.speakers if one.trouble]
        ended = [f"{part} did not last" for part in self.disturbed.ended]
        tables = [*table(judge(self.undisturbed, self.disturbed)), "", *tally_table(self.tallies)]
        return "\n".join([*tables, *troubles, *ended])

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        tallies = {name: tally.as_json() for name, tally in self.tallies.items()}
        return {"undisturbed": asdict(self.undisturbed), "disturbed": asdict(self.disturbed), "attackers": tallies}


async def run(materials: Sequence[Material], groups: Sequence[Sequence[str]], viewers: int) -> AsyncIterator[Result]:
    """An undisturbed round, then one for each group of attackers, all on one platform."""
    secret = secrets.token_hex(32)
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys"
        record_key, read_key = (make_key(keys, str(right), [right]) for right in (Right.RECORD, Right.READ))
        attacker_keys = {name: make_key(keys, name, [Right.RECORD]) for group in groups for name in group}
        long, old = make_session_keys(secret, HOURS), make_session_keys(secret, HOURS)
        given = {"UNDERTONE_ACCESS": "closed", "UNDERTONE_SECRET": secret, "UNDERTONE_KEYS": str(keys)}
        say("starting the platform")
        async with running_up(**given) as (url, pid):
            house = House(url, pid, record_key, read_key, viewers)
            attackers = {
                name: Given(
                    url, f"127.0.1.{number}", key, long, old, tuple(make_session_keys(secret) for _ in range(FRESH))
                )
                for number, (name, key) in enumerate(attacker_keys.items(), 1)
            }
            say("storing the long session of the attackers")
            await store_long_session(database_of(pid), long)
            say("a round without attackers")
            undisturbed, _ = await play(house, materials, {})
            for names in groups:
                say(f"a round with {', '.join(names)}")
                disturbed, tallies = await play(house, materials, {name: attackers[name] for name in names})
                yield Result(undisturbed, disturbed, tallies)


def say(words: str) -> None:
    """Tell on standard error what happens now."""
    print(f"{time.strftime('%H:%M:%S')}  {words}", file=sys.stderr, flush=True)


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=str(__doc__).partition("\n")[0])
    parser.add_argument("manifests", nargs="+", type=Path, metavar="MANIFEST")
    parser.add_argument("--minutes", type=float, default=3.0, help="how long each round lasts")
    parser.add_argument(
        "--only", action="append", default=[], choices=sorted(ATTACKS), help="only this attacker; may be repeated"
    )
    parser.add_argument("--viewers", type=int, default=VIEWERS)
    parser.add_argument("--set", action="append", default=[], dest="groups", help="only this set; may be repeated")
    parser.add_argument("--each", action="store_true", help="a round for each attacker alone, one after the other")
    parser.add_argument("--json", action="store_true", help="print the rounds and tallies as JSON")
    return parser.parse_args(arguments)


async def measure(materials: Sequence[Material], given: argparse.Namespace) -> list[Result]:
    """All results, each printed as soon as it is there."""
    names = given.only or list(ATTACKS)
    results = []
    async for result in run(materials, [[name] for name in names] if given.each else [names], given.viewers):
        results.append(result)
        if not given.json:
            print(result.told(), flush=True)
    return results


def main(arguments: Sequence[str]) -> int:
    """The command."""
    given = read_arguments(arguments)
    raise_file_limit()
    clips = [clip for clip in read_clips(given.manifests, given.groups) if clip.is_speech and clip.language == "en"]
    materials = [join_clips(clips, 60 * given.minutes, Random(SEED + number)) for number in range(SPEAKERS)]
    results = asyncio.run(measure(materials, given))
    if given.json:
        print(json.dumps([result.as_json() for result in results], indent=1))
    return int(any(row.is_broken for each in results for row in judge(each.undisturbed, each.disturbed)))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main(sys.argv[1:]))
