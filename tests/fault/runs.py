"""Runs of a script, disturbed by faults and not, and their comparison."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import psycopg
from pydantic import SecretStr

from tests.fault.account import Account, Figures, read_account
from tests.fault.plan import Fault, make_plan
from tests.fault.platform import Platform, open_platform
from tests.fault.recorders import ClumsyRecorder
from tests.fault.script import SCRIPTS, Script, make_script
from tests.fault.servers import Servers, open_servers
from tests.fault.strikes import Strikes
from tests.waiting import until
from tests.wires import open_wires
from undertone.recorder import Finished
from undertone.session_keys import create_session

HEARD_WITHIN_S = 120.0
ENDED_WITHIN_S = 180.0
# How soon a recorder takes a silent wire for dead: sooner than it would, so that a frozen one costs less of the suite.
SILENT_FOR_S = 4.0

Tell = Callable[[str], None]


async def run_faults(count: int, seed: int, folder: Path, tell: Tell, only: Sequence[str] = ()) -> Figures:
    """Runs with ``count`` faults in all, each compared with its undisturbed twin, which runs once per script."""
    figures = Figures()
    twins = dict[int, Mapping[str, Account]]()
    with patch("undertone.recorder.SILENT_FOR_S", SILENT_FOR_S):
        async with open_servers(folder) as servers:
            if not servers.is_disk:
                tell("no small disk may be mounted here (that takes root): none is filled")
            for number, faults in enumerate(make_plan(count, seed, only), 1):
                script = make_script((seed + number) % SCRIPTS)
                if script.number not in twins:
                    twins[script.number], _ = await _play(servers, script, (), f"twin_{script.number}", folder)
                began_s = time.monotonic()
                accounts, missed = await _play(servers, script, faults, f"run_{number}", folder)
                figures.runs += 1
                figures.faults += len(faults) - len(missed)
                for title, twin in twins[script.number].items():
                    figures.compare(twin, accounts[title])
                tell(f"run {number}, {time.monotonic() - began_s:.0f} s: {', '.join(map(str, faults))}")
                if missed:
                    tell(f"  these struck nobody and do not count: {', '.join(map(str, missed))}")
                tell(f"  {figures}")
    return figures


async def _play(
    servers: Servers, script: Script, faults: Sequence[Fault], name: str, folder: Path
) -> tuple[Mapping[str, Account], Sequence[Fault]]:
    """The accounts of a run's sessions, by title, and the faults that never struck."""
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(open_platform(servers, name, folder / name))
        wires = await stack.enter_async_context(open_wires(platform.settings.port))
        recorders = {
            part.title: await stack.enter_async_context(_open_recorder(f"http://127.0.0.1:{wires.port}", part.title))
            for part in script.parts
        }
        strikes = Strikes(platform, tuple(recorders.values()), wires)
        stopping: dict[str, asyncio.Task[Finished]] = {}
        stretches = list(script.stretches([fault.stretch for fault in faults] or [1.0]))
        for number, stretch in enumerate(stretches):
            async with AsyncExitStack() as striking:
                if faults:
                    await striking.enter_async_context(strikes.strike(faults[number]))
                await _write(script, recorders, stretch)
                if number == len(stretches) - 1:
                    stopping = {title: asyncio.create_task(one.stop()) for title, one in recorders.items()}
            if not stopping:
                await _until_heard(platform, recorders)
        finished = await _finish(platform, recorders, stopping)
        sessions = {title: one.keys.session_id for title, one in recorders.items()}
        straight = {"database": SecretStr(servers.database(name))}
        settings = platform.settings.model_copy(update=straight)
        accounts = {
            title: await read_account(settings, session, script, finished.get(title))
            for title, session in sessions.items()
        }
        return accounts, strikes.missed


async def _write(
    script: Script, recorders: Mapping[str, ClumsyRecorder], stretch: Mapping[str, tuple[int, int]]
) -> None:
    """Say a stretch of every session, side by side."""

    async def write(recorder: ClumsyRecorder, pieces: Sequence[bytes | int]) -> None:
        for piece in pieces:
            if isinstance(piece, int):
                recorder.gap(piece)
            else:
                await recorder.write(piece)
            await asyncio.sleep(0)

    parts = {part.title: part for part in script.parts}
    async with asyncio.TaskGroup() as group:
        for title, (start, end) in stretch.items():
            group.create_task(write(recorders[title], list(parts[title].pieces(start, end))))


async def _until_heard(platform: Platform, recorders: Mapping[str, ClumsyRecorder]) -> None:
    """Wait until all parts are well and a transcriber has heard all that was written."""
    await platform.ready()
    for recorder in recorders.values():
        recorder.behind_ms = None

    def is_heard() -> bool:
        return all(one.acknowledged == one.next_sample and one.behind_ms == 0 for one in recorders.values())

    await until(is_heard, HEARD_WITHIN_S)


async def _finish(
    platform: Platform, recorders: Mapping[str, ClumsyRecorder], stopping: Mapping[str, asyncio.Task[Finished]]
) -> dict[str, Finished]:
    """What the recorders are told at the end, of those that are told in time; and wait until all rows are stored."""
    await asyncio.wait(stopping.values(), timeout=ENDED_WITHIN_S)
    sessions = [one.keys.session_id for one in recorders.values()]
    database = platform.servers.database(platform.settings.topic_prefix)
    with suppress(AssertionError):  # what is not there is lost, and the comparison says what that is
        await until(lambda: _have_ended(database, sessions), ENDED_WITHIN_S)
    return {title: task.result() for title, task in stopping.items() if task.done() and task.exception() is None}


async def _have_ended(database: str, sessions: Sequence[str]) -> bool:
    """Whether the window of each whole session is final in the database: then all else is stored as well."""
    query = "SELECT count(*) FROM windows WHERE size_ms = 0 AND final AND session_id = ANY(%s)"
    ended = "SELECT count(*) FROM sessions WHERE state = 'ended' AND session_id = ANY(%s)"
    try:
        async with await psycopg.AsyncConnection.connect(database) as connection:
            for question in (query, ended):
                found = await (await connection.execute(question.encode(), (list(sessions),))).fetchone()
                if found is None or found[0] < len(sessions):
                    return False
    except psycopg.OperationalError:
        return False
    return True


@asynccontextmanager
async def _open_recorder(url: str, title: str) -> AsyncIterator[ClumsyRecorder]:
    recorder = ClumsyRecorder(url, await create_session(url, title=title))
    try:
        yield recorder
    finally:
        await recorder.close()
