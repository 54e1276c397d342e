"""More than the machine carries, through all of `undertone up`.

    python -m benchmarks.overload MANIFEST… [--carried 16] [--times 4] [--minutes 4] [--set NAME]
    python -m benchmarks.overload MANIFEST… --flood 4 [--sessions 2] [--minutes 2]

The first: ``times`` as many speakers as the machine carries ask for a session, obey ``too_busy``, and speak real speech
in real time until the time is over. Then nobody asks any more, and it is measured how long it takes until all is final
and until a new session has its first final within the bar. A line every five seconds: speaking and asking, refused so
far, seconds of audio that wait, the farthest that text is behind, the finals' delay (median and 95 %) since the last
line, partials of a speaker in a minute, megabytes by part. With ``UNDERTONE_REFUSE_ABOVE_S=0`` everybody is admitted:
then the bounds hold alone.

The second: the delays of some who speak, alone and beside recorders that send as fast as they are let.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from benchmarks.capacity.undertone import running_platform
from benchmarks.clips import read_clips
from benchmarks.materials import join_clips
from benchmarks.overload.crowd import Offered, probe
from benchmarks.overload.flood import Beside, speak_beside
from benchmarks.overload.watch import PARTS, Line, Watch, share

SEED = 20260101
BAR_S = 2.0
RECOVERED_WITHIN_S = 300.0
VOICES = 16
LOOP_S = 60.0


def tell(line: Line) -> str:
    """A row of the table."""
    crowd = line.crowd
    figures = (
        f"{line.at_s:.0f}",
        f"{crowd.speaking}",
        f"{crowd.asking}",
        f"{crowd.refused}",
        f"{line.backlog_s:.0f}",
        f"{crowd.behind_s:.1f}",
        f"{share(line.final_s, 0.5):.1f}, {share(line.final_s, 0.95):.1f}",
        f"{line.partials:.1f}",
        *(f"{line.megabytes.get(part, 0):.0f}" for part in PARTS),
    )
    return "| " + " | ".join(figures) + " |"


async def overload(pcms: Sequence[bytes], speakers: int, seconds: float) -> dict[str, object]:
    """The first measurement; its figures."""
    async with running_platform() as platform:
        offered = Offered(platform, pcms, time.monotonic() + seconds, Random(SEED))
        watch = Watch(platform, offered.look)
        heads = ("s", "speaking", "asking", "refused", "backlog s", "behind s", "final s", "partials", *PARTS)
        print("| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), sep="\n", flush=True)
        watching = asyncio.create_task(watch.run(lambda line: print(tell(line), flush=True)))
        await offered.come(speakers)
        drained_s = offered.finished_s - offered.ends_s
        seen = [one for one in platform.viewer.seen.values() if one.counted is not None]
        lost = sum((one.counted or 0) - sum(bool(final.text) for final in one.finals.values()) for one in seen)
        ready_s = await probe(platform, pcms[0], BAR_S, RECOVERED_WITHIN_S)
        watching.cancel()
        await asyncio.wait([watching])
    finals = sorted(delay for line in watch.lines for delay in line.final_s)
    first, most = watch.lines[0].megabytes, [max(line.megabytes.get(part, 0) for line in watch.lines) for part in PARTS]
    return {
        "offered": speakers,
        "admitted": offered.admitted,
        "speaking_at_most": max(line.crowd.speaking for line in watch.lines),
        "refused": offered.refused,
        "failed": offered.failed,
        "finals": sum(len(one.finals) for one in seen),
        "lost": lost,
        "repeated": sum(one.repeated for one in seen),
        "final_s": [round(share(finals, part), 2) for part in (0.5, 0.95, 1.0)],
        "backlog_s_at_most": round(max(line.backlog_s for line in watch.lines)),
        "behind_s_at_most": max(line.crowd.behind_s for line in watch.lines),
        "megabytes_at_most": {part: round(value) for part, value in zip(PARTS, most, strict=True)},
        "megabytes_more": {part: round(value - first.get(part, 0)) for part, value in zip(PARTS, most, strict=True)},
        "all_final_after_s": round(drained_s, 1),
        "new_session_as_ever_after_s": None if ready_s is None else round(drained_s + ready_s, 1),
    }


async def flood(pcms: Sequence[bytes], floods: int) -> list[Beside]:
    """The second measurement: alone, then beside the floods."""
    async with running_platform(UNDERTONE_REFUSE_ABOVE_S="0") as platform:
        return [await speak_beside(platform, pcms, count) for count in (0, floods)]


def compare(alone: Beside, beside: Beside) -> list[str]:
    """Delays side by side, and their ratio."""
    rows = [
        "| floods | final: median, 95 % | shown: median, 95 % | floods heard, times real time |",
        "|---|---|---|---|",
    ]
    for one in (alone, beside):
        final = f"{share(one.final_s, 0.5):.2f}, {share(one.final_s, 0.95):.2f}"
        shown = f"{share(one.shown_s, 0.5):.2f}, {share(one.shown_s, 0.95):.2f}"
        rows.append(f"| {one.floods} | {final} | {shown} | {one.flood_speed:.1f} |")
    ratios = [share(beside.final_s, part) / max(1e-9, share(alone.final_s, part)) for part in (0.5, 0.95)]
    return [*rows, f"finals beside the floods come {ratios[0]:.2f} (median) and {ratios[1]:.2f} (95 %) times as late"]


def main(arguments: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=str(__doc__).partition("\n")[0])
    parser.add_argument("manifests", nargs="+", type=Path, metavar="MANIFEST")
    parser.add_argument("--set", action="append", default=[], dest="groups", help="only this set; may be repeated")
    parser.add_argument("--carried", type=int, default=16, help="speakers that this machine carries")
    parser.add_argument("--times", type=float, default=4.0, help="how many times as many come")
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--flood", type=int, default=0, help="measure these floods, and no crowd")
    parser.add_argument("--sessions", type=int, default=2, help="who speaks beside the floods")
    given = parser.parse_args(arguments)
    clips = [clip for clip in read_clips(given.manifests, given.groups) if clip.is_speech and clip.reference]
    if given.flood:
        pcms = [join_clips(clips, 60 * given.minutes, Random(SEED + n)).pcm for n in range(given.sessions)]
        print(*compare(*asyncio.run(flood(pcms, given.flood))), sep="\n")
        return
    pcms = [join_clips(clips, LOOP_S, Random(SEED + number)).pcm for number in range(VOICES)]
    figures = asyncio.run(overload(pcms, round(given.times * given.carried), 60 * given.minutes))
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(sys.argv[1:])
