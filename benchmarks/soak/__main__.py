"""An hour of the whole platform: sessions and viewers come and go, and nothing may grow.

    python -m benchmarks.soak [--minutes 60] [--speakers 6] [--viewers 20] [--seed 7]

`undertone up` as it comes, in a fresh home. Each minute memory, open files and threads of every part are sampled, the
lag of every worker, and how far the recorders are behind. At the end a line is fitted to each, after the first quarter
of the time. The command ends with status 1 if one surely (95 %) rises faster than its bound, if a part did not last, or
if a recording or a viewer was in trouble. Below three quarters of an hour it is a rehearsal: the web's ring fills for
ten minutes, and caches of Kafka and PostgreSQL for longer.
"""

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Mapping, Sequence
from random import Random

from benchmarks.capacity.undertone import running_up
from benchmarks.soak.people import People
from benchmarks.soak.sampling import Name, Sample, parts_of, settings_of, take_sample
from benchmarks.soak.slopes import Slope, fit
from tests.clips import read_clip

CLIPS = ("jfk.flac", "LJ001-0002.flac", "LJ001-0008.flac", "1688-142285-0002.flac")
WARM_UP = 0.25

BOUNDS: Mapping[str, float] = {"MB": 30, "files": 6, "threads": 3, "lag": 600, "behind ms": 3000}
"""Growth in an hour. A session leaves a few kilobytes in the web, and some 300 come in an hour."""

WIDER: Mapping[Name, float] = {("kafka", "MB"): 120, ("postgres", "MB"): 120, ("kafka", "files"): 200}
"""Kafka's heap (256 MB) and PostgreSQL's cache (128 MB) fill up over hours, and stop there. Kafka's open files rise for
the first 80 minutes, which is what `benchmarks/soak/housekeeping.py` is for."""


def judge(samples: Sequence[Sample]) -> list[tuple[Name, Slope, float]]:
    """The slope of each quantity that was there in every sample, and its bound."""
    settled = samples[round(len(samples) * WARM_UP) :]
    names = sorted(set.intersection(*(set(sample.values) for sample in settled)))
    at_s = [sample.at_s for sample in settled]
    return [
        (name, fit(at_s, [sample.values[name] for sample in settled]), WIDER.get(name, BOUNDS[name[1]]))
        for name in names
    ]


async def soak(given: argparse.Namespace) -> tuple[list[Sample], People]:
    """The samples, and those who made the load."""
    clips = [read_clip(name) for name in CLIPS]
    samples: list[Sample] = []
    async with running_up() as (url, pid):
        settings, parts = settings_of(pid), parts_of(pid)
        people = People(url, clips, Random(given.seed))
        busy = [asyncio.create_task(people.speak_for_ever()) for _ in range(given.speakers)]
        busy += [asyncio.create_task(people.watch_for_ever()) for _ in range(given.viewers)]
        began_s = time.monotonic()
        every_s = min(60.0, given.minutes * 60 / 12)
        while time.monotonic() - began_s < given.minutes * 60:
            await asyncio.sleep(max(0.0, began_s + (len(samples) + 1) * every_s - time.monotonic()))
            samples.append(await take_sample(pid, settings, people.behind_ms))
            heard = f"{people.sessions} sessions, {people.utterances} utterances, {people.visits} visits"
            print(f"{(samples[-1].at_s - began_s) / 60:5.1f} min  {heard}", file=sys.stderr, flush=True)
            for task in busy:
                if task.done():
                    task.result()  # those people never stop: this raises what ended one
        people.troubles += [f"{part} did not last" for child, part in parts.items() if child not in parts_of(pid)]
        for task in busy:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*busy)
    return samples, people


def main(arguments: Sequence[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--speakers", type=int, default=6)
    parser.add_argument("--viewers", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    samples, people = asyncio.run(soak(parser.parse_args(arguments)))
    judged = judge(samples)
    print(f"{people.sessions} sessions, {people.utterances} utterances, {people.visits} visits; {len(samples)} samples")
    print(f"{'part':<13}{'what':<11}{'first':>9}{'last':>9}{'an hour':>10}{'95 %':>24}{'bound':>8}")
    for (part, what), slope, bound in judged:
        interval = f"{slope.low:.1f} to {slope.high:.1f}"
        verdict = "  RISES" if slope.exceeds(bound) else ""
        line = f"{part:<13}{what:<11}{slope.first:>9.1f}{slope.last:>9.1f}{slope.per_hour:>10.1f}"
        print(f"{line}{interval:>24}{bound:>8g}{verdict}")
    for trouble in people.troubles:
        print(trouble)
    return int(bool(people.troubles) or any(slope.exceeds(bound) for _, slope, bound in judged))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
