"""How many people the whole platform hears at once: sessions of real speech paced in real time through `undertone up`.

    python -m benchmarks.capacity MANIFEST… --sessions 1 --sessions 8 [--minutes 2] [--set NAME] [--json]

Everything runs on this machine, this load driver included. A viewer follows all sessions over server-sent events; its
clock and the recorders' are one. For each N:

- ``final``: from the end of speech (the utterance's end less the hang-over) to its final with sentiment at the viewer;
- ``shown``: from the end of speech to the first text at the viewer, partial or final, that was heard so far;
- ``first``: from the start of an utterance (less the pre-roll) to the first text of it at the viewer;
- ``finished``: from the recorder's stop to its ``finished``;
- lost and repeated finals, against what the sessions say that they gave out; word error rate; CPU and memory by part.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

import httpx
import jiwer
import numpy as np
import psutil

from benchmarks.clips import read_clips
from benchmarks.hearing import normalise
from benchmarks.materials import Material, join_clips
from models.speech.segmenter import SegmentRules
from undertone.audio import SAMPLE_RATE, to_samples
from undertone.captions import read_stream
from undertone.local.ports import free_ports
from undertone.recorder import Recorder
from undertone.session_keys import create_session

FRAME_SAMPLES = to_samples(100)
SEED = 20260101
RULES = SegmentRules()


@dataclass
class Seen:
    """What the viewer saw of one session, with the times at which it saw it (seconds, monotonic)."""

    began_s: float = 0.0
    stopped_s: float = 0.0
    finished_s: float = 0.0
    counted: int = 0
    texts: list[tuple[float, int, int]] = field(default_factory=list)  # when, first sample, heard so far
    finals: dict[str, tuple[float, int, int, str]] = field(default_factory=dict)  # when, first sample, end, text
    repeated: int = 0


@dataclass(frozen=True)
class Figures:
    """One row; times in seconds as median, 95th percentile and maximum."""

    sessions: int
    utterances: int
    final: tuple[float, float, float]
    shown: tuple[float, float, float]
    first: tuple[float, float, float]
    finished: tuple[float, float, float]
    word_error_rate: float
    lost: int
    repeated: int
    cores: dict[str, float]
    megabytes: dict[str, int]


@asynccontextmanager
async def running_platform() -> AsyncIterator[tuple[str, int]]:
    """`undertone up` as it comes, in a fresh home; its address and process id."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "undertone.cli", "up", "--port", str(port), "--home", home]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        try:
            async for line in process.stdout:
                if url.encode() in line:
                    break
            draining = asyncio.create_task(process.stdout.read())
            yield url, process.pid
            draining.cancel()
        finally:
            process.terminate()
            await process.wait()


async def watch(url: str, seen: dict[str, Seen]) -> None:
    """The viewer: notes every text of every session until cancelled."""
    async with (
        httpx.AsyncClient(base_url=url, timeout=None) as http,
        http.stream("GET", "/v1/events") as answer,
    ):
        async for _, event in read_stream(answer):
            now_s = time.monotonic()
            session = seen.get(event.get("session_id", ""))
            if session is None:
                continue
            if event["type"] == "partial":
                session.texts.append((now_s, event["first_sample"], event["rev"]))
            elif event["type"] == "utterance":
                session.repeated += event["utterance_id"] in session.finals
                counts = event["quality"]["suppressed"] is None
                text = event["text"] if counts else ""
                first, end = event["first_sample"], event["end_sample"]
                session.finals.setdefault(event["utterance_id"], (now_s, first, end, text))
                session.texts.append((now_s, first, end))


async def speak(url: str, material: Material, seen: dict[str, Seen], wait_s: float) -> Seen:
    """One speaker: a session from start to finished, paced in real time; what the viewer saw of it."""
    await asyncio.sleep(wait_s)
    keys = await create_session(url, language="en")
    session = seen[keys.session_id] = Seen()
    recorder = Recorder(url, keys, language="en")
    session.began_s = time.monotonic()
    step = 2 * FRAME_SAMPLES
    for start in range(0, len(material.pcm), step):
        due_s = session.began_s + (start + step) / 2 / SAMPLE_RATE  # a frame can be sent once it has been spoken
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        await recorder.write(material.pcm[start : start + step])
    session.stopped_s = time.monotonic()
    finished = await recorder.stop()
    session.finished_s = time.monotonic()
    session.counted = finished.utterances
    return session


def summarise(times: Sequence[float]) -> tuple[float, float, float]:
    """Median, 95th percentile and maximum."""
    if not times:
        return (float("nan"),) * 3
    median, high = np.percentile(times, [50, 95])
    return round(float(median), 2), round(float(high), 2), round(max(times), 2)


def delays(session: Seen) -> tuple[list[float], list[float], list[float]]:
    """The delays ``final``, ``shown`` and ``first`` of each utterance of a session."""
    final, shown, first = [], [], []
    for when_s, start, end, _ in session.finals.values():
        speech_end = end - RULES.hang_over
        spoken_s = session.began_s + speech_end / SAMPLE_RATE
        onset_s = session.began_s + (start + RULES.pre_roll) / SAMPLE_RATE
        texts = [(at_s, heard) for at_s, begun, heard in session.texts if begun == start]
        final.append(when_s - spoken_s)
        shown.append(min(at_s for at_s, heard in texts if heard >= speech_end) - spoken_s)
        first.append(min(at_s for at_s, _ in texts) - onset_s)
    return final, shown, first


def processes_of(pid: int) -> dict[int, tuple[str, psutil.Process]]:
    """The parts of a running `undertone up`, by what they are."""
    found = {}
    for process in [psutil.Process(), *psutil.Process(pid).children(recursive=True)]:
        line = " ".join(process.cmdline())
        name = "driver" if process.pid == psutil.Process().pid else process.name()
        for word in ("transcriber", "classifier", "statistics", "archivist", "serve", "postgres", "java"):
            name = word if word in line.split() or word in process.name() else name
        found[process.pid] = (name, process)
    return found


async def measure(url: str, pid: int, materials: Sequence[Material]) -> Figures:
    """One run of so many speakers at once, begun over ten seconds so that they do not speak in step."""
    seen: dict[str, Seen] = {}
    parts = processes_of(pid)
    before = {number: sum(process.cpu_times()[:2]) for number, (_, process) in parts.items()}
    watching = asyncio.create_task(watch(url, seen))
    began_s = time.monotonic()
    apart_s = 10 / len(materials)
    speaking = (speak(url, one, seen, number * apart_s) for number, one in enumerate(materials))
    sessions = await asyncio.gather(*speaking)
    await asyncio.sleep(2)  # what the viewer has not been shown by now, counts as lost
    took_s = time.monotonic() - began_s
    cores: dict[str, float] = defaultdict(float)
    megabytes: dict[str, int] = defaultdict(int)
    for number, (name, process) in parts.items():
        cores[name] += (sum(process.cpu_times()[:2]) - before[number]) / took_s
        megabytes[name] += process.memory_info().rss // 1_000_000
    watching.cancel()
    all_delays = [delays(session) for session in sessions]
    said = [
        " ".join(text for *_, text in sorted(session.finals.values(), key=lambda final: final[1]))
        for session in sessions
    ]
    references = [normalise(material.reference, "en") for material in materials]
    return Figures(
        sessions=len(materials),
        utterances=sum(len(session.finals) for session in sessions),
        final=summarise([delay for final, _, _ in all_delays for delay in final]),
        shown=summarise([delay for _, shown, _ in all_delays for delay in shown]),
        first=summarise([delay for _, _, first in all_delays for delay in first]),
        finished=summarise([session.finished_s - session.stopped_s for session in sessions]),
        word_error_rate=round(100 * jiwer.wer(references, [normalise(text, "en") for text in said]), 2),
        lost=sum(session.counted - sum(bool(text) for *_, text in session.finals.values()) for session in sessions),
        repeated=sum(session.repeated for session in sessions),
        cores={name: round(value, 2) for name, value in sorted(cores.items())},
        megabytes=dict(sorted(megabytes.items())),
    )


async def run(counts: Sequence[int], seconds: float, clips_of: Sequence[Path], groups: Sequence[str]) -> list[Figures]:
    """A fresh platform, then one measurement for each count."""
    clips = [clip for clip in read_clips(clips_of, groups) if clip.is_speech and clip.reference]
    figures = []
    async with running_platform() as (url, pid):
        for count in counts:
            materials = [join_clips(clips, seconds, Random(SEED + number)) for number in range(count)]
            figures.append(await measure(url, pid, materials))
            print(json.dumps(asdict(figures[-1])), file=sys.stderr, flush=True)
    return figures


def main(arguments: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__.partition("\n")[0])
    parser.add_argument("manifests", nargs="+", type=Path, metavar="MANIFEST")
    parser.add_argument(
        "--sessions", action="append", type=int, required=True, help="how many at once; may be repeated"
    )
    parser.add_argument("--minutes", type=float, default=2.0, help="how long each speaks")
    parser.add_argument("--set", action="append", default=[], dest="groups", help="only this set; may be repeated")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    figures = asyncio.run(run(given.sessions, 60 * given.minutes, given.manifests, given.groups))
    if given.json:
        print(json.dumps([asdict(row) for row in figures], indent=1))
        return
    for row in figures:
        print(
            f"{row.sessions} sessions, {row.utterances} utterances, word error rate {row.word_error_rate} %,", end=" "
        )
        print(f"{row.lost} lost, {row.repeated} repeated")
        for name in ("final", "shown", "first", "finished"):
            median, high, most = getattr(row, name)
            print(f"  {name:<9} p50 {median:>6.2f} s   p95 {high:>6.2f} s   max {most:>6.2f} s")
        print("  cores     " + "  ".join(f"{name} {value:.2f}" for name, value in row.cores.items()))
        print("  megabytes " + "  ".join(f"{name} {value}" for name, value in row.megabytes.items()))


if __name__ == "__main__":
    main(sys.argv[1:])
