"""How many people a system hears at once: sessions of real speech paced in real time through all of `undertone up`.

    python -m benchmarks.capacity MANIFEST… --sessions 1 --sessions 8 [--minutes 2] [--set NAME] [--json]
    python -m benchmarks.capacity MANIFEST… --search --bar 2 [--sessions 8] [--against PEER] [--plot FILE.svg]

Everything runs on this machine, this load driver included. A viewer follows all sessions over server-sent events; its
clock and the recorders' are one. For each number of sessions:

- ``final``: from the end of speech (the utterance's end less the hang-over) to its final with sentiment at the viewer;
- ``shown``: from the end of speech to the first text at the viewer, partial or final, for which all of it was heard;
- ``first``: from the start of an utterance (less the pre-roll) to the first text of it at the viewer;
- ``finished``: from the recorder's stop to its ``finished``;
- ``final_by_words`` and ``shown_by_words``: a measure that any system can be put to, see ``words``;
- lost and repeated finals, against what the sessions say that they gave out; word error rate;
- CPU and memory by part, and by how much memory grew after the first minute.

``--against PEER`` puts a peer (``python -m benchmarks.peers`` sets them up) to the same speakers, after Undertone, one
after the other. ``--search`` looks for the largest number that holds the bar: the 95th percentile of ``final``, or of
``final_by_words`` for everybody where there are peers. ``--trace FILE`` keeps every delay as a line of JSON.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from websockets.exceptions import WebSocketException

from benchmarks.capacity.driver import speak_all
from benchmarks.capacity.figures import Figures, Trace, draw_figures, holds
from benchmarks.capacity.parts import SETTLED_S, Meter
from benchmarks.capacity.plot import draw
from benchmarks.capacity.report import compare, tell, trace_lines
from benchmarks.capacity.search import largest, next_count
from benchmarks.capacity.systems import Start, System
from benchmarks.capacity.undertone import running_undertone
from benchmarks.clips import Clip, read_clips
from benchmarks.materials import join_clips
from benchmarks.peers.registry import PEERS
from undertone.errors import UndertoneError

SEED = 20260101
BAR_S = 2.0
BROKEN = (UndertoneError, WebSocketException, OSError)


@dataclass
class Runs:
    """Everything that is measured in one run of the command."""

    clips: Sequence[Clip]
    seconds: float
    trace_to: Path | None
    rows: list[Figures] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)

    async def count(self, start: Start, counts: Sequence[int]) -> None:
        """Measure a fresh system at each count."""
        async with start() as system:
            for count in counts:
                await self._measure(system, count)

    async def search(self, start: Start, first: int, bar_s: float, *, by_words: bool) -> None:
        """Find the largest count at which a fresh system holds the bar."""
        held: dict[int, bool] = {}
        async with start() as system:
            while (count := next_count(held, first)) is not None:
                row = await self._measure(system, count)
                held[count] = row is not None and holds(row, bar_s, by_words=by_words)
            self.held[system.name] = largest(held)

    async def _measure(self, system: System, count: int) -> Figures | None:
        """One run; None if the system broke down under it, which is said on standard error."""
        materials = [join_clips(self.clips, self.seconds, Random(SEED + number)) for number in range(count)]
        meter = Meter(system, min(SETTLED_S, self.seconds / 2))
        sessions = None
        try:
            sessions = await speak_all(system, materials)
        except* BROKEN as broken:
            print(f"{system.name} with {count} sessions: {broken.exceptions[0]!r}", file=sys.stderr, flush=True)
        if sessions is None:
            return None
        row, trace = draw_figures(system.name, materials, sessions, meter.read())
        print(json.dumps(asdict(row)), file=sys.stderr, flush=True)
        self.rows.append(row)
        self._keep(row, trace)
        return row

    def _keep(self, row: Figures, trace: Trace) -> None:
        if self.trace_to is not None:
            with self.trace_to.open("a") as file:
                file.writelines(line + "\n" for line in trace_lines(row.system, row.sessions, trace))


async def run(given: argparse.Namespace) -> Runs:
    """Undertone and then its peers, one after the other."""
    clips = [clip for clip in read_clips(given.manifests, given.groups) if clip.is_speech and clip.reference]
    runs = Runs(clips, 60 * given.minutes, given.trace)
    starts = [running_undertone, *(PEERS[name] for name in given.against)]
    for start in starts:
        if given.search:
            first = given.sessions[0] if given.sessions and start is running_undertone else 1
            await runs.search(start, first, given.bar, by_words=bool(given.against))
        else:
            await runs.count(start, given.sessions)
    return runs


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=str(__doc__).partition("\n")[0])
    parser.add_argument("manifests", nargs="+", type=Path, metavar="MANIFEST")
    parser.add_argument(
        "--sessions", action="append", type=int, help="how many at once; may be repeated; where a search begins"
    )
    parser.add_argument("--minutes", type=float, default=2.0, help="how long each speaks")
    parser.add_argument("--set", action="append", default=[], dest="groups", help="only this set; may be repeated")
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--against", action="append", default=[], choices=sorted(PEERS), help="a peer as well; may be repeated"
    )
    parser.add_argument("--search", action="store_true", help="find the largest number that holds the bar")
    parser.add_argument("--bar", type=float, default=BAR_S, metavar="S", help="the bar, in seconds")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg")
    parser.add_argument("--trace", type=Path, metavar="FILE", help="add every delay to this file, as lines of JSON")
    given = parser.parse_args(arguments)
    if not given.sessions and not given.search:
        parser.error("--sessions N or --search")
    return given


def main(arguments: Sequence[str]) -> None:
    """The command."""
    given = read_arguments(arguments)
    runs = asyncio.run(run(given))
    if given.plot is not None:
        by_words = bool(given.against)
        lines: dict[str, list[tuple[int, float, float]]] = {}
        for row in runs.rows:
            spread = row.final_by_words if by_words else row.final
            if spread is not None:
                lines.setdefault(row.system, []).append((row.sessions, *spread[:2]))
        title = "speakers at once: end of speech to final"
        given.plot.write_text(draw(lines, title, given.bar if given.search else None))
    if given.json:
        print(json.dumps([asdict(row) for row in runs.rows], indent=1))
        return
    for row in runs.rows:
        print(*tell(row), sep="\n")
    if given.against or given.search:
        print(*compare(runs.rows, runs.held, given.bar), sep="\n")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(sys.argv[1:])
