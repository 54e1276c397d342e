"""Runs of a script, disturbed by faults and not, and their comparison."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from unittest.mock import patch

import psycopg
from pydantic import SecretStr

from tests.fault.account import Account, Figures, read_account
from tests.fault.plan import INGEST, Fault, make_plan
from tests.fault.platform import Platform, open_platform
from tests.fault.recorders import ClumsyRecorder
from tests.fault.script import SCRIPTS, Script, make_script
from tests.fault.servers import Servers, open_servers
from tests.fault.strikes import Strikes
from tests.waiting import until
from tests.wires import open_wires
from undertone.errors import UndertoneError
from undertone.recorder import Finished
from undertone.session_keys import create_session

HEARD_WITHIN_S = 120.0
ENDED_WITHIN_S = 180.0
# How soon a recorder gives up a connection that says nothing: sooner than it would, so that the suite takes less time.
SILENT_FOR_S = 4.0

Tell: TypeAlias = Callable[[str], None]


@dataclass(frozen=True)
class Played:
    """A run: the accounts of its sessions by title, the faults that struck nobody, and what did not recover."""

    accounts: Mapping[str, Account]
    missed: Sequence[Fault]
    complaints: Sequence[str]


async def run_faults(count: int, seed: int, folder: Path, tell: Tell, only: Sequence[str] = ()) -> Figures:
    """Runs with ``count`` faults in all, each compared with its undisturbed twin, which runs once per script."""
    figures = Figures()
    twins = dict[int, Mapping[str, Account]]()
    with patch.multiple("undertone.recorder", SILENT_FOR_S=SILENT_FOR_S, CONNECT_S=SILENT_FOR_S):
        async with open_servers(folder) as servers:
            if not servers.is_disk:
                tell("no small disk may be mounted here (that takes root): none is filled")
            for number, faults in enumerate(make_plan(count, seed, only), 1):
                script = make_script((seed + number) % SCRIPTS)
                if script.number not in twins:
                    twin = await _play(servers, script, (), f"twin_{script.number}", folder)
                    figures.complaints += twin.complaints
                    twins[script.number] = twin.accounts
                began_s = time.monotonic()
                run = await _play(servers, script, faults, f"run_{number}", folder)
                figures.runs += 1
                figures.faults += len(faults) - len(run.missed)
                figures.complaints += run.complaints
                for title, account in twins[script.number].items():
                    figures.compare(account, run.accounts[title])
                tell(f"run {number}, {time.monotonic() - began_s:.0f} s: {', '.join(map(str, faults))}")
                if run.missed:
                    tell(f"  these struck nobody and do not count: {', '.join(map(str, run.missed))}")
                tell(f"  {figures}")
    return figures


async def _play(servers: Servers, script: Script, faults: Sequence[Fault], name: str, folder: Path) -> Played:
    """One run. What does not recover in time is a complaint, and nothing strikes any more after that."""
    complaints = list[str]()
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(open_platform(servers, name, folder / name))
        wires = await stack.enter_async_context(open_wires(*(platform.parts[name].port for name in INGEST)))
        recorders = {
            part.title: await stack.enter_async_context(_open_recorder(f"http://127.0.0.1:{wires.port}", part.title))
            for part in script.parts
        }
        strikes = Strikes(platform, tuple(recorders.values()), wires)
        try:
            for ends, fault in zip(script.stretches([fault.stretch for fault in faults]), faults, strict=True):
                async with strikes.strike(fault):
                    await _write(script, recorders, ends)
                    for one in recorders.values() if fault is faults[-1] else ():
                        one.say_stop()
                await _until_heard(platform, recorders)
        except AssertionError as error:
            complaints.append(f"{name}: {fault}: {error}")
        await _write(script, recorders, {part.title: part.samples for part in script.parts})
        finished = await _finish(platform, recorders)
        settings = platform.settings.model_copy(update={"database": SecretStr(servers.database(name))})
        accounts = {
            title: await read_account(settings, one.keys.session_id, script, finished.get(title))
            for title, one in recorders.items()
        }
        return Played(accounts, strikes.missed, complaints)


async def _write(script: Script, recorders: Mapping[str, ClumsyRecorder], ends: Mapping[str, int]) -> None:
    """Say every session as far as its end, side by side."""

    async def write(recorder: ClumsyRecorder, pieces: Sequence[bytes | int]) -> None:
        for piece in pieces:
            with suppress(UndertoneError):  # what a refusal cost is seen in the comparison
                if isinstance(piece, int):
                    recorder.gap(piece)
                else:
                    await recorder.write(piece)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for part in script.parts:
            one = recorders[part.title]
            group.create_task(write(one, list(part.pieces(one.next_sample, ends[part.title]))))


async def _until_heard(platform: Platform, recorders: Mapping[str, ClumsyRecorder]) -> None:
    """Wait until all parts are well and a transcriber has heard all that was written."""
    await platform.ready()
    for one in recorders.values():
        one.behind_ms = None
    await until(lambda: all(one.is_heard for one in recorders.values()), HEARD_WITHIN_S, "all is heard")


async def _finish(platform: Platform, recorders: Mapping[str, ClumsyRecorder]) -> dict[str, Finished]:
    """What the recorders are told at the end, of those that are told in time; and wait until all rows are stored."""
    stopping = {title: asyncio.create_task(one.stop()) for title, one in recorders.items()}
    await asyncio.wait(stopping.values(), timeout=ENDED_WITHIN_S)
    sessions = [one.keys.session_id for one in recorders.values()]
    database = platform.servers.database(platform.settings.topic_prefix)
    with suppress(AssertionError):  # what is not there is lost, and the comparison says what that is
        await until(lambda: have_ended(database, sessions), ENDED_WITHIN_S)
    return {title: task.result() for title, task in stopping.items() if task.done() and task.exception() is None}


async def have_ended(database: str, sessions: Sequence[str]) -> bool:
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
    one = ClumsyRecorder(url, await create_session(url, title=title, patience_s=60))
    try:
        yield one
    finally:
        await one.close()
