"""Error rates of an engine, or of two and how they differ.

    python -m benchmarks.hearing MANIFEST… [--engine NAME] [--against NAME] [--set NAME] [--json]

``live`` is the live path in this process: sessions cut by voice activity, decoded and gated. ``undertone`` and
``openai-whisper`` are the engines alone, each clip one utterance; clips over 30 s are left out. ``plain`` is
faster-whisper as it comes (greedy, windows of 30 s), the measure to compare with. ``platform`` is a running
``undertone up`` (on UNDERTONE_PORT). With ``-detect`` they are not told the language.

Clips without a reference are heard but not scored, except those of kind ``nonspeech``: each with a text that counts is
invented. ``--noise`` and the like make all recordings worse first.
"""

import argparse
import json
import sys
import time
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.clips import Clip, Heard, read_clips
from benchmarks.hearing.bootstrap import difference
from benchmarks.hearing.conditions import Conditions
from benchmarks.hearing.engines import ENGINES, Ear
from benchmarks.hearing.scores import Score, edits_of, groups_of, is_scored, score
from benchmarks.hearing.tables import show_table
from undertone.audio import SAMPLE_RATE
from undertone.errors import UndertoneError
from undertone.settings import Settings, read_settings


@dataclass(frozen=True, slots=True)
class Report:
    """What one engine made of all clips; cost in core-seconds per second of audio, None where others pay."""

    engine: str
    heard: list[Heard]
    cost: float | None

    def scores(self, clips: Sequence[Clip]) -> list[Score]:
        """Each set and language, then each language."""
        return [
            score(group, [clips[n] for n in members], [self.heard[n] for n in members])
            for (group, _), members in groups_of(clips).items()
        ]


def measure(name: str, ear: Ear, clips: Sequence[Clip], threads: int) -> Report:
    """Let an engine hear all clips, so many at once, the longest first."""
    order = sorted(range(len(clips)), key=lambda number: -len(clips[number].samples))
    began_s = time.process_time()
    with ThreadPoolExecutor(threads) as executor:
        heard = dict(zip(order, executor.map(lambda number: ear.hear(clips[number]), order), strict=True))
    cost_s = time.process_time() - began_s
    seconds = sum(len(clip.samples) for clip in clips) / SAMPLE_RATE
    return Report(name, [heard[n] for n in range(len(clips))], cost_s / seconds if ear.in_process else None)


def contrast(clips: Sequence[Clip], one: Report, other: Report) -> list[dict[str, Any]]:
    """How the error rates of text that counts differ, with their intervals."""
    rows = []
    for (group, language), members in groups_of(clips).items():
        chosen = [clips[n] for n in members]
        if any(is_scored(clip) for clip in chosen):
            ours, theirs = (edits_of(chosen, [report.heard[n].counted for n in members]) for report in (one, other))
            rows.append({"group": group, "language": language, **asdict(difference(ours, theirs))})
    return rows


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hearing", description=__doc__.partition("\n")[0])
    parser.add_argument("manifests", nargs="+", type=Path, metavar="MANIFEST")
    parser.add_argument("--engine", choices=sorted(ENGINES), default="live")
    parser.add_argument("--against", choices=sorted(ENGINES), help="a second engine, and how the first differs from it")
    parser.add_argument("--set", action="append", default=[], dest="groups", help="only this set; may be repeated")
    parser.add_argument("--noise", type=float, metavar="DB", help="add noise, the recording so much over it")
    parser.add_argument("--colour", choices=["white", "pink"], default="white", help="of the noise")
    parser.add_argument("--telephone", action="store_true", help="through 8 kHz, 300 to 3400 Hz, mu-law")
    parser.add_argument("--gain", type=float, default=0.0, metavar="DB", help="louder or (below 0) quieter")
    parser.add_argument("--level", choices=["peak", "rms"], help="bring each recording to one loudness at the end")
    parser.add_argument("--json", action="store_true", help="with every text")
    return parser.parse_args(arguments)


def spoil(clips: Sequence[Clip], conditions: Conditions) -> list[Clip]:
    """The clips under the conditions; each clip's noise goes by its name."""
    if conditions == Conditions():
        return list(clips)
    return [replace(clip, samples=conditions.apply(clip.samples, zlib.crc32(clip.name.encode()))) for clip in clips]


def run(given: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    """All that was measured, as JSON has it."""
    conditions = Conditions(given.noise, given.colour, given.telephone, given.gain, given.level)
    names = [given.engine] if given.against is None else [given.engine, given.against]
    ears = {name: ENGINES[name](settings) for name in names}
    clips = spoil(read_clips(given.manifests, given.groups, min(ear.longest_s for ear in ears.values())), conditions)
    reports = [measure(name, ear, clips, settings.replicas()) for name, ear in ears.items()]
    return {
        "conditions": asdict(conditions),
        "engines": [
            {
                "engine": report.engine,
                "core_seconds_per_second": report.cost,
                "sets": [asdict(row) for row in report.scores(clips)],
                "clips": [
                    {"id": clip.name, "reference": clip.reference, **asdict(heard)}
                    for clip, heard in zip(clips, report.heard, strict=True)
                ],
            }
            for report in reports
        ],
        "differences": contrast(clips, *reports) if len(reports) == 2 else [],
    }


def show(figures: dict[str, Any]) -> None:
    """Print the tables."""
    print(f"conditions: {', '.join(f'{name} {value}' for name, value in figures['conditions'].items())}")
    for report in figures["engines"]:
        cost = report["core_seconds_per_second"]
        print(f"\n{report['engine']}: {'n/a' if cost is None else f'{cost:.4f}'} core-seconds per second of audio")
        show_table(report["sets"])
    if figures["differences"]:
        first, second = (report["engine"] for report in figures["engines"])
        print(f"\n{first} less {second}, points of error rate, 95 % of resamples between low and high:")
        show_table(figures["differences"])


def main(arguments: Sequence[str]) -> None:
    """The command."""
    given = parse(arguments)
    try:
        figures = run(given, read_settings())
    except UndertoneError as error:
        sys.exit(str(error))
    if given.json:
        print(json.dumps(figures, indent=1, ensure_ascii=False))
    else:
        show(figures)


if __name__ == "__main__":
    main(sys.argv[1:])
