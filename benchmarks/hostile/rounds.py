"""Plays one round: the honest speakers and viewers, beside attackers or alone."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from benchmarks.hostile.attacks import ATTACKS
from benchmarks.hostile.figures import Round, Watched
from benchmarks.hostile.honest import Speaker, make_speakers
from benchmarks.hostile.stranger import Given
from benchmarks.hostile.tally import Tally, add_tallies
from benchmarks.hostile.watch import Watch
from benchmarks.materials import Material
from undertone.identifiers import utterance_id

APART_S = 1.0
ATTACKED_BEFORE_S = 10.0
ENDS_WITHIN_S = 30.0


@dataclass(frozen=True)
class House:
    """A running platform with what the honest clients have: keys to record and to read."""

    url: str
    pid: int
    record_key: str
    read_key: str
    viewers: int


async def play(
    house: House, materials: Sequence[Material], attackers: Mapping[str, Given]
) -> tuple[Round, dict[str, Tally]]:
    """One round; the attackers begin ten seconds before the first word and end after the last final."""
    speakers = await make_speakers(house.url, house.record_key, materials)
    watch = Watch(house.url, house.pid)
    async with _audience(house, speakers) as audience:
        watching = asyncio.create_task(watch.run())
        async with _attacking(attackers) as tallies:
            if attackers:
                await asyncio.sleep(ATTACKED_BEFORE_S)
            await asyncio.gather(*(speaker.speak(number * APART_S) for number, speaker in enumerate(speakers)))
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        spoken = await asyncio.gather(*(speaker.report() for speaker in speakers))
        finals = {
            speaker.keys.session_id: [utterance_id(speaker.keys.session_id, first) for first, _, _ in one.finals]
            for speaker, one in zip(speakers, spoken, strict=True)
        }
        watched = Watched(**json.loads(await _answer(audience, json.dumps(finals))))
    figures = Round(tuple(spoken), watched, tuple(watch.probes_s), watch.unanswered, watch.peaks, watch.ended())
    return figures, tallies


@asynccontextmanager
async def _audience(house: House, speakers: Sequence[Speaker]) -> AsyncIterator[asyncio.subprocess.Process]:
    """The viewers' process, once all of them have begun."""
    sessions = [[speaker.keys.session_id, speaker.keys.read_token] for speaker in speakers]
    given = {"url": house.url, "key": house.read_key, "sessions": sessions, "viewers": house.viewers}
    async with _child("benchmarks.hostile.audience") as process:
        assert await _answer(process, json.dumps(given)) == "begun", "the viewers did not begin"
        yield process


@asynccontextmanager
async def _attacking(attackers: Mapping[str, Given]) -> AsyncIterator[dict[str, Tally]]:
    """All attackers at work during the block; after it what each of them got."""
    tallies: dict[str, Tally] = {}
    hands = [
        (name, replace(given, hand=hand, fresh=given.fresh[hand :: ATTACKS[name].hands]))
        for name, given in attackers.items()
        for hand in range(ATTACKS[name].hands)
    ]
    got: dict[str, list[Tally]] = {name: [] for name in attackers}
    async with asyncio.TaskGroup() as group:
        ending, begun = asyncio.Event(), asyncio.Barrier(len(hands) + 1)

        async def attack(name: str, given: Given) -> None:
            async with _child("benchmarks.hostile.attacker", name) as process:
                assert await _answer(process, json.dumps(given.as_json())) == "begun", f"{name} did not begin"
                await begun.wait()
                await ending.wait()
                got[name].append(await _last_word(process))

        for name, given in hands:
            group.create_task(attack(name, given))
        await begun.wait()
        try:
            yield tallies
        finally:
            ending.set()
    tallies |= {name: add_tallies(each) for name, each in got.items()}


async def _last_word(process: asyncio.subprocess.Process) -> Tally:
    """The tally that an attacker leaves when it is told to end; one that has died or hangs leaves none."""
    try:
        async with asyncio.timeout(ENDS_WITHIN_S):
            return Tally.from_json(json.loads(await _answer(process, "")))
    except (TimeoutError, OSError, ValueError):
        return Tally(Counter({"no report": 1}))


@asynccontextmanager
async def _child(*module: str) -> AsyncIterator[asyncio.subprocess.Process]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", *module, stdin=pipe, stdout=pipe)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answer(process: asyncio.subprocess.Process, line: str) -> str:
    """The line that the process answers to a line."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line.encode() + b"\n")
    await process.stdin.drain()
    return (await process.stdout.readline()).decode().strip()
