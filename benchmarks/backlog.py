"""What the platform leaves of the machine's hearing: a backlog drained at full speed, against the engine alone.

    python -m benchmarks.backlog MANIFEST… [--sessions 16] [--seconds 50] [--set NAME] [--json]

The transcriber of a running `undertone up` is stopped (SIGSTOP), all sessions are sent as fast as ingest takes them,
and it goes on (SIGCONT): ``platform_s`` is from then until a viewer has seen the last final. Then, with the platform
gone, voice activity, engine and gates hear the same audio in this process, with as many threads as the platform has
replicas: ``alone_s``. Their ratio is the share of the throughput that is left. Texts that differ are counted too.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import psutil

from benchmarks.capacity.seen import Seen
from benchmarks.capacity.systems import Session, System
from benchmarks.capacity.undertone import running_undertone
from benchmarks.clips import read_clips
from benchmarks.hearing.live import take_down
from benchmarks.materials import Material, join_clips
from models.speech.load import load_engine
from models.speech.segmenter import SegmentRules
from undertone.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, to_samples
from undertone.settings import read_settings

SEED = 20260101
FRAME_BYTES = BYTES_PER_SAMPLE * to_samples(100)
AWAY_MS = 300_000  # the worker is stopped for longer than it may be in earnest


@dataclass(frozen=True)
class Figures:
    """One run; ``share`` is what the platform reaches of the throughput of the engine alone."""

    sessions: int
    utterances: int
    audio_s: float
    platform_s: float
    alone_s: float
    share: float
    texts_that_differ: int


async def drain(materials: Sequence[Material]) -> tuple[float, list[Seen]]:
    """Seconds that the platform takes for the backlog, and what the viewer saw of each session."""
    os.environ["UNDERTONE_SESSION_TIMEOUT_MS"] = str(AWAY_MS)
    async with running_undertone() as system, AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(system.open_session()) for _ in materials]
        transcriber = find_transcriber(system)
        transcriber.send_signal(signal.SIGSTOP)
        try:
            async with asyncio.TaskGroup() as group:
                for session, material in zip(sessions, materials, strict=True):
                    group.create_task(send(session, material))
        finally:
            began_s = time.monotonic()
            transcriber.send_signal(signal.SIGCONT)
        await asyncio.gather(*(session.stop() for session in sessions))
        seen = [session.seen for session in sessions]
        return max(final.at_s for one in seen for final in one.finals.values()) - began_s, seen


async def send(session: Session, material: Material) -> None:
    """All of it, as fast as it is taken."""
    for start in range(0, len(material.pcm), FRAME_BYTES):
        await session.write(material.pcm[start : start + FRAME_BYTES])


def find_transcriber(system: System) -> psutil.Process:
    """The process of the transcriber."""
    children = psutil.Process(system.pid).children(recursive=True)
    return next(child for child in children if system.name_part(child.name(), child.cmdline()) == "transcriber")


def hear_alone(materials: Sequence[Material]) -> tuple[float, list[list[str]]]:
    """Seconds that voice activity and engine take alone, and the texts that count."""
    settings = read_settings()
    engine, rules = load_engine(settings), SegmentRules(endpoint=to_samples(settings.endpoint_ms))
    engine.warm()

    def hear(material: Material) -> list[str]:
        return [one.hearing.text for one in take_down(material.pcm, "en", engine, rules) if one.counts]

    began_s = time.monotonic()
    with ThreadPoolExecutor(settings.replicas()) as threads:
        texts = list(threads.map(hear, materials))
    return time.monotonic() - began_s, texts


def main(arguments: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.backlog", description=str(__doc__).partition("\n")[0])
    parser.add_argument("manifests", nargs="+", type=Path, metavar="MANIFEST")
    parser.add_argument("--sessions", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=50.0, help="audio of each; over 60 ingest makes it wait")
    parser.add_argument("--set", action="append", default=[], dest="groups", help="only this set; may be repeated")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    clips = [clip for clip in read_clips(given.manifests, given.groups) if clip.is_speech and clip.reference]
    short = [clip for clip in clips if len(clip.samples) < 10 * SAMPLE_RATE]
    materials = [join_clips(short, given.seconds - 10, Random(SEED + number)) for number in range(given.sessions)]
    platform_s, seen = asyncio.run(drain(materials))
    alone_s, alone = hear_alone(materials)
    live = [
        [final.text for final in sorted(one.finals.values(), key=lambda one: one.start) if final.text] for one in seen
    ]
    figures = Figures(
        sessions=given.sessions,
        utterances=sum(map(len, live)),
        audio_s=round(sum(len(material.pcm) for material in materials) / BYTES_PER_SAMPLE / SAMPLE_RATE, 1),
        platform_s=round(platform_s, 2),
        alone_s=round(alone_s, 2),
        share=round(alone_s / platform_s, 3),
        texts_that_differ=sum(mine != theirs for mine, theirs in zip(live, alone, strict=True)),
    )
    if given.json:
        print(json.dumps(asdict(figures), indent=1))
        return
    for name, value in asdict(figures).items():
        print(f"{name:<18} {value}")


if __name__ == "__main__":
    main(sys.argv[1:])
