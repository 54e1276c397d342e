"""What a run has left behind - in the log, in the topics, in the tables - and how it differs from another's."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeAlias

import psycopg

from storage.rows import row_of
from tests.fault.script import Script
from tests.ingest_serving import heard_entries, read_entries
from tests.recomputation import check_windows
from tests.streams import read_events
from undertone.events import Event, Mark, Transcript, Utterance
from undertone.recorder import Finished
from undertone.records import Audio, AudioRecord, Gap
from undertone.settings import Settings
from undertone.topics import TRANSCRIPTS, UTTERANCES

Row: TypeAlias = dict[str, Any]
Final: TypeAlias = Transcript | Utterance | Mark

QUESTIONS = {
    "utterances": "SELECT to_jsonb(u) FROM utterances u WHERE session_id = %s ORDER BY first_sample",
    "windows": "SELECT to_jsonb(w) FROM windows w WHERE session_id = %s ORDER BY size_ms, start_ms",
    "sessions": "SELECT to_jsonb(s) FROM sessions s WHERE session_id = %s",
}
# What two runs may differ in: ids, wall times and what follows from them, where in the log and over which connections
# the samples came.
OWN = {
    "session_id",
    "utterance_id",
    "timing",
    "eras",
    "audio",
    "resume",
    "created_at",
    "started_at",
    "ended_at",
    "log_offset",
}


@dataclass(frozen=True)
class Account:
    """What one session has left: rows without what runs may differ in, and what is wrong by itself."""

    utterances: tuple[Row, ...]
    windows: tuple[Row, ...]
    sessions: tuple[Row, ...]
    complaints: tuple[str, ...] = ()


@dataclass
class Figures:
    """The figures of some runs."""

    faults: int = 0
    runs: int = 0
    utterances: int = 0
    lost: int = 0
    repeated: int = 0
    different: int = 0
    windows: int = 0
    windows_differ: int = 0
    rows: int = 0
    rows_differ: int = 0
    complaints: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        wrong = self.lost + self.repeated + self.different + self.windows_differ + self.rows_differ
        return wrong == 0 and not self.complaints

    def __str__(self) -> str:
        return (
            f"{self.faults} faults in {self.runs} runs: {self.utterances} utterances compared, {self.lost} lost, "
            f"{self.repeated} repeated, {self.different} different; of {self.windows} windows {self.windows_differ} "
            f"differ, of {self.rows} rows of sessions {self.rows_differ}; {len(self.complaints)} other complaints"
        )

    def compare(self, twin: Account, account: Account) -> None:
        """Count what differs between a session and its undisturbed twin."""
        there, here = _by_place(twin.utterances, "first_sample"), _by_place(account.utterances, "first_sample")
        self.utterances += len(there)
        self.lost += len(there.keys() - here.keys())
        self.repeated += len(here.keys() - there.keys())
        self.different += sum(here[place] != there[place] for place in there.keys() & here.keys())
        self.windows += len(twin.windows)
        self.windows_differ += _differing(twin.windows, account.windows, "size_ms", "start_ms")
        self.rows += len(twin.sessions)
        self.rows_differ += _differing(twin.sessions, account.sessions, "title")
        self.complaints += account.complaints


async def read_account(settings: Settings, session_id: str, script: Script, finished: Finished | None) -> Account:
    """The account of a session. ``finished`` is what its recorder was told at the end."""
    rows = _read_rows(settings, session_id)
    title = rows["sessions"][0]["title"] if rows["sessions"] else "a session without a row"
    complaints = [
        *_check_log(await read_entries(settings, session_id), script, title),
        *_check_finals(_finals(await read_events(settings, TRANSCRIPTS), session_id)),
        *_check_finals(finals := _finals(await read_events(settings, UTTERANCES), session_id)),
        *_check_first_wins(finals, rows["utterances"]),
        *_check_cover(rows, finished),
        *await _check_windows(settings, session_id),
    ]
    return Account(
        utterances=tuple(map(_common, rows["utterances"])),
        windows=tuple(map(_common, rows["windows"])),
        sessions=tuple(map(_common, rows["sessions"])),
        complaints=tuple(f"{settings.topic_prefix}, {title}: {complaint}" for complaint in complaints),
    )


def _read_rows(settings: Settings, session_id: str) -> dict[str, list[Row]]:
    with psycopg.connect(settings.database_url()) as connection:
        return {
            name: [row[0] for row in connection.execute(query.encode(), (session_id,))]
            for name, query in QUESTIONS.items()
        }


def _check_log(entries: Sequence[tuple[int, AudioRecord]], script: Script, title: str) -> Iterator[str]:
    """What counts in the log is what was said, each sample once, and ingest let no sample of a connection in twice.

    A hole is no fault: where a produce failed, what followed it may be there, and the next connection brings all again.
    """
    part = next((part for part in script.parts if part.title == title), None)
    if part is None:
        return
    gap_end = part.gap_at + part.gap_samples
    gaps = [(part.gap_at, gap_end)] if part.gap_samples else []
    said = part.pcm[: 2 * part.gap_at] + part.pcm[2 * gap_end :] if gaps else part.pcm
    log = [record for _, record in entries]
    if heard_entries(entries) != (said, gaps):
        yield f"the log does not hold what was said: {_outline(log)}"
    ends = dict[str, int]()
    for record in log:
        if isinstance(record, Audio | Gap):
            if record.at < ends.get(record.connection, 0):
                yield f"{record.at} was let in twice: {_outline(log)}"
            ends[record.connection] = record.end if isinstance(record, Audio) else record.to


def _outline(log: Sequence[AudioRecord]) -> str:
    """The log in few words: audio that follows on audio is not told."""
    words, end = list[str](), -1
    for record in log:
        if not isinstance(record, Audio) or record.at != end:
            words.append(f"{type(record).__name__} {record.connection[:4]} {record.at}")
        end = record.end if isinstance(record, Audio) else -1
    return ", ".join(words)


def _finals(events: Iterable[Event], session_id: str) -> list[Final]:
    return [event for event in events if isinstance(event, Final) and event.session_id == session_id]


def _check_finals(finals: Sequence[Final]) -> Iterator[str]:
    """A topic of finals and marks: none is missing, and one that comes again says the same."""
    first = dict[int, Final]()
    for final in finals:
        known = first.setdefault(final.seq, final)
        if _content(known) != _content(final):
            yield f"seq {final.seq} came again and is another: {known} and {final}"
    if sorted(first) != list(range(1, len(first) + 1)):
        yield f"a seq is missing: {sorted(first)}"


def _check_first_wins(finals: Sequence[Final], rows: Sequence[Row]) -> Iterator[str]:
    """What is stored is the first of what was given out, times of day included."""
    first = dict[str, Row]()
    for final in finals:
        if isinstance(final, Utterance):
            first.setdefault(final.utterance_id, row_of(final)["timing"])
    for row in rows:
        if row["timing"] != first.get(row["utterance_id"]):
            yield f"{row['utterance_id']} is not stored as it was first given out"


def _check_cover(rows: Mapping[str, Sequence[Row]], finished: Finished | None) -> Iterator[str]:
    """Finals do not overlap, and the recorder was told what is stored."""
    for one, other in pairwise(rows["utterances"]):
        if other["first_sample"] < one["end_sample"]:
            yield f"{one['utterance_id']} and {other['utterance_id']} overlap"
    told = None if finished is None else (finished.samples, finished.utterances)
    stored = [(row["through"], row["utterances"]) for row in rows["sessions"]]
    if [told] != stored:
        yield f"the recorder was told {told}, stored is {stored}"


async def _check_windows(settings: Settings, session_id: str) -> list[str]:
    """Every window is final and equals what SQL computes from the rows."""
    try:
        await check_windows(settings.database_url(), session_id)
    except AssertionError as error:
        return [f"windows are not what the rows give: {str(error)[:300]}"]
    return []


def _content(final: Final) -> Row:
    return final.model_dump(exclude={"timing"})


def _common(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in OWN}


def _by_place(rows: Iterable[Row], *names: str) -> dict[tuple[Any, ...], Row]:
    return {tuple(row[name] for name in names): row for row in rows}


def _differing(twin: Iterable[Row], rows: Iterable[Row], *names: str) -> int:
    there, here = _by_place(twin, *names), _by_place(rows, *names)
    return sum(there.get(place) != here.get(place) for place in there.keys() | here.keys())
