"""When a dead letter may go back: what it would add must be missing, and nothing may have come behind it."""

from dataclasses import replace

import pytest

from tests.examples import SESSION_ID, mark, transcript, utterance
from tests.storage_events import window
from undertone.codec import encode, encode_audio
from undertone.commands.letters import Choice, Kept
from undertone.commands.replay import Surroundings, why_not
from undertone.errors import FatalError
from undertone.events import DeadLetter, Event, Resume, Session
from undertone.identifiers import session_created_at
from undertone.letters import Letter
from undertone.records import Audio, AudioRecord, Close, Gap, Open
from undertone.topics import place

PARTITIONS = 4
HERE = place(SESSION_ID, PARTITIONS)
LIVE = Session(session_id=SESSION_ID, state="live", seq=4, through=1600, created_at=session_created_at(SESSION_ID))
IDLE = LIVE.model_copy(update={"state": "ended", "reason": "idle", "resume": Resume(connection="c")})
STOPPED = LIVE.model_copy(update={"state": "ended", "reason": "stop"})
AROUND = Surroundings(partitions=PARTITIONS, begins=0, acknowledged=18, latest_seq=4, session=LIVE)


def kept(topic: str, record: Event | AudioRecord, app: str = "classifier", **why: object) -> Kept:
    value, headers = encode_audio(record) if isinstance(record, Open | Audio | Gap | Close) else encode(record)
    reason = {"app": app, "topic": topic, "partition": HERE, "offset": 17, "at": "2026-11-23T00:00:00Z", **why}
    letter = DeadLetter.model_validate({"error": "PoisonError: broken", "version": "0.1.0", **reason})
    key = (record.session_id if not isinstance(record, DeadLetter) else "").encode()  # type: ignore[union-attr]
    return Kept(Letter(letter, key, value, headers), None, is_deleted=False)


FINAL = kept("transcripts", transcript(5, 0, 900))
LAST_MARK = kept("transcripts", mark(5, 1000, "stop"))
AUDIO = kept("audio", Audio(SESSION_ID, "c", 1600, bytes(3200)), "transcriber")


@pytest.mark.parametrize(
    ("letter", "around"),
    [
        (FINAL, AROUND),
        (FINAL, replace(AROUND, session=None)),
        (LAST_MARK, replace(AROUND, session=STOPPED)),
        (kept("utterances", utterance(5, 0, 900), "archivist"), AROUND),
        (
            kept("windows", window(seq=5).model_copy(update={"session_id": SESSION_ID})),
            replace(AROUND, session=STOPPED),
        ),
        (kept("sessions", STOPPED, "archivist"), replace(AROUND, session=STOPPED, latest_seq=3)),
        (AUDIO, replace(AROUND, session=IDLE)),
        (kept("audio", Audio(SESSION_ID, "c", 0, bytes(3202)), "transcriber"), replace(AROUND, session=IDLE)),
    ],
    ids=["final", "unknown session", "last mark", "utterance", "window", "session", "audio", "audio half heard"],
)
def test_goes_back(letter: Kept, around: Surroundings) -> None:
    assert why_not(letter, around) is None


@pytest.mark.parametrize(
    ("letter", "around", "why"),
    [
        (replace(FINAL, is_deleted=True), AROUND, "deleted"),
        (FINAL, replace(AROUND, session=LIVE.model_copy(update={"state": "deleted"})), "deleted"),
        (replace(FINAL, done="replayed"), AROUND, "replayed before"),
        (replace(FINAL, letter=replace(FINAL.letter, is_cut=True)), AROUND, "too large"),
        (kept("transcripts", transcript(5, 0, 900), given_out=True), AROUND, "given out is final"),
        (kept("statistics", transcript(5, 0, 900), "statistics"), AROUND, "memory"),
        (kept("sessions", STOPPED, "transcriber"), AROUND, "memory"),
        (replace(FINAL, letter=replace(FINAL.letter, value=b"{")), AROUND, "cannot read it either"),
        (kept("transcripts", utterance(5, 0, 900)), AROUND, "does not belong"),
        (FINAL, replace(AROUND, partitions=PARTITIONS + 7), "partition"),
        (FINAL, replace(AROUND, acknowledged=17), "reads it again by itself"),
        (FINAL, replace(AROUND, acknowledged=None), "reads it again by itself"),
        (FINAL, replace(AROUND, begins=18), "no longer goes back"),
        (FINAL, replace(AROUND, latest_seq=5), "went on to 5"),
        (LAST_MARK, AROUND, "not stopped"),
        (LAST_MARK, replace(AROUND, session=IDLE), "not stopped"),
        (kept("audio", Open(SESSION_ID, "c", 0), "transcriber"), replace(AROUND, session=IDLE), "of its moment"),
        (kept("audio", Gap(SESSION_ID, "c", 0, 9), "transcriber"), replace(AROUND, session=IDLE), "of its moment"),
        (kept("audio", Close(SESSION_ID, "c", 0, "stop"), "transcriber"), replace(AROUND, session=IDLE), "its moment"),
        (AUDIO, AROUND, "not at rest"),
        (AUDIO, replace(AROUND, session=None), "not at rest"),
        (AUDIO, replace(AROUND, session=STOPPED), "over"),
        (AUDIO, replace(AROUND, session=IDLE.model_copy(update={"resume": Resume(connection="d")})), "connection"),
        (AUDIO, replace(AROUND, session=IDLE.model_copy(update={"through": 1599})), "heard up to sample 1599"),
        (AUDIO, replace(AROUND, session=IDLE.model_copy(update={"through": 3200})), "heard up to sample 3200"),
    ],
)
def test_stays_and_says_why(letter: Kept, around: Surroundings, why: str) -> None:
    assert why in (why_not(letter, around) or "")


def test_a_choice() -> None:
    other = kept("utterances", utterance(1, 0, 900), "archivist", error="DataError: out of range")
    both = [FINAL, other]
    assert Choice(everything=True).of(both) == both
    assert Choice((FINAL.letter.id[:6],)).of(both) == [FINAL]
    assert Choice((other.letter.place,)).of(both) == [other]
    assert Choice(app="archivist").of(both) == Choice(error="OUT of").of(both) == Choice(topic="utterances").of(both)
    assert Choice(app="archivist", topic="transcripts").of(both) == []
    for wrong in (Choice(), Choice(("nothing",)), Choice(("",), app="classifier")):
        with pytest.raises(FatalError):
            wrong.of(both)
