"""The bytes of every record, kept: a change here is a change of what other programs and older records look like.

Adding a field with a default may change a file in ``golden``; anything else needs a new ``VERSION`` in the codec, and
the old file stays beside the new one, still read. ``python -m tests.contract.test_golden_bytes`` writes the files.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.examples import SESSION_ID, mark, transcript, utterance
from undertone import events
from undertone.codec import Headers, decode, decode_audio, encode, encode_audio
from undertone.errors import PoisonError
from undertone.events import (
    DeadLetter,
    Deletion,
    Event,
    LetterMark,
    OpenWindow,
    Partial,
    Resume,
    Session,
    Statistics,
    Window,
    Worker,
)
from undertone.records import Audio, AudioRecord, Close, Gap, Open

GOLDEN = Path(__file__).parent / "golden"
AT = datetime(2026, 11, 22, 20, 0, 0, 250_000, tzinfo=UTC)

EVENTS: tuple[Event, ...] = (
    Session(
        session_id=SESSION_ID,
        state="live",
        seq=3,
        through=64_000,
        language="ko",
        language_probability=0.97,
        title="첫 통화",
        tags=("support", "한국어"),
        started_at=AT,
        created_at=AT,
        utterances=2,
        suppressed=1,
        resume=Resume(offset=41, connection="c1", opened_offset=12, speaking=True),
    ),
    Partial(
        session_id=SESSION_ID, first_sample=64_000, rev=80_000, start_ms=4000, text="안녕", committed=1, language="ko"
    ),
    transcript(1, 1000, 2500),
    mark(2, 10_000, "stop"),
    utterance(1, 1000, 2500),
    Window(
        session_id=SESSION_ID,
        seq=3,
        size_ms=10_000,
        start_ms=0,
        final=True,
        utterances=2,
        positive=1,
        neutral=0,
        negative=1,
        score=-0.112,
        score_min=-0.7251,
        score_max=0.5012,
        talk_ms=3000,
        silence_ms=7000,
        longest_pause_ms=4500,
        words=6,
        words_per_minute=120,
        loudness_dbfs=-21.7,
    ),
    Statistics(
        session_id=SESSION_ID,
        seq=3,
        through_ms=4000,
        windows=(
            OpenWindow(
                size_ms=0,
                start_ms=0,
                score_e4=-2239,
                score_min_e4=-7251,
                score_max_e4=5012,
                pause_ms=1000,
                talked_until_ms=2500,
            ),
        ),
    ),
    Deletion(session_id=SESSION_ID, requested_at=AT, requested_by="operator"),
    Worker(
        worker="transcriber-1",
        app="transcriber",
        at=AT,
        backlog_s=1.5,
        speed=20.0,
        replicas=2,
        load=0.4,
        model="base",
        heard={SESSION_ID: 64_000},
    ),
    DeadLetter(
        app="classifier", topic="transcripts", partition=3, offset=17, at=AT, error="PoisonError: …", version="0.1.0"
    ),
    LetterMark(letter="0123456789ab", done="replayed", at=AT),
)
RECORDS: tuple[AudioRecord, ...] = (
    Open(SESSION_ID, "c1", 0, "en", 1_790_000_000_250, "First call", ("support",), 12),
    Audio(SESSION_ID, "c1", 1600, b"\x00\x00\x01\x00\xff\xff\x00\x80"),
    Gap(SESSION_ID, "c1", 1604, 48_000),
    Close(SESSION_ID, "c1", 48_000, "stop"),
)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_an_event_has_the_bytes_that_are_kept(event: Event) -> None:
    assert _form(*encode(event)) == _kept(event.type)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_the_bytes_that_are_kept_are_read_as_the_event(event: Event) -> None:
    value, headers = _bytes(_kept(event.type))
    assert decode(value, headers) == event


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_an_audio_record_has_the_bytes_that_are_kept(record: AudioRecord) -> None:
    assert _form(*encode_audio(record)) == _kept(_name(record))


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_the_bytes_that_are_kept_are_read_as_the_audio_record(record: AudioRecord) -> None:
    value, headers = _bytes(_kept(_name(record)))
    assert decode_audio(SESSION_ID.encode(), value, headers) == record


def test_every_type_is_kept() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(events.Event))
    assert {path.stem for path in GOLDEN.glob("*.json")} == {
        *(event.type for event in EVENTS),
        *(_name(record) for record in RECORDS),
    }


def test_unknown_fields_are_ignored() -> None:
    value, headers = _bytes(_kept("mark"))
    grown = json.dumps({**json.loads(value), "of_a_later_version": 1}).encode()
    assert decode(grown, headers) == EVENTS[3]


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"{}", [("schema", b"undertone.mark/1")]),
        (b"not json", [("schema", b"undertone.mark/1")]),
        (None, [("schema", b"undertone.mark/1")]),
        (b"{}", []),
        (b"{}", [("schema", b"somebody.else/1")]),
        (b"{}", [("schema", None)]),
        (b"{}", [("schema", "undertone.mark/²".encode())]),
        (b'{"type":"mark","session_id":"s","seq":1,"through":0}', [("schema", b"undertone.mark/2")]),
        (b'{"type":"mark","session_id":"s","seq":1,"through":0}', [("schema", b"undertone.session/1")]),
    ],
    ids=[
        "no fields",
        "no json",
        "no value",
        "no schema",
        "foreign",
        "null schema",
        "odd version",
        "of the future",
        "another type",
    ],
)
def test_bytes_that_are_no_event_are_poison(value: bytes | None, headers: list[tuple[str, Any]]) -> None:
    with pytest.raises(PoisonError):
        decode(value, headers)


@pytest.mark.parametrize(
    "change",
    [{"kind": b"song"}, {"at": b"-1"}, {"at": b"soon"}, {"schema": b"undertone.audio/9"}, {"connection": None}],
    ids="-".join,
)
def test_headers_that_make_no_audio_record_are_poison(change: dict[str, bytes | None]) -> None:
    value, headers = encode_audio(RECORDS[1])
    changed = [(name, given) for name, given in (dict(headers) | change).items() if given is not None]
    with pytest.raises(PoisonError):
        decode_audio(b"key", value, changed)
    nulls: list[tuple[str, Any]] = [(name, None if name in change else given) for name, given in headers]
    with pytest.raises(PoisonError):
        decode_audio(b"key", value, nulls)


@pytest.mark.parametrize("pcm", [b"", b"\x00\x00\x01"], ids=["empty", "inside a sample"])
def test_audio_that_is_no_whole_samples_is_poison(pcm: bytes) -> None:
    _, headers = encode_audio(RECORDS[1])
    with pytest.raises(PoisonError):
        decode_audio(b"key", pcm, headers)


def _name(record: AudioRecord) -> str:
    return f"audio-{type(record).__name__.lower()}"


def _kept(name: str) -> dict[str, object]:
    kept: dict[str, object] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return kept


def _form(value: bytes, headers: Headers) -> dict[str, object]:
    """A record as a file of ``golden`` has it: headers as text, the value as text, or as hexadecimal if it is PCM."""
    given = {name: text.decode() for name, text in headers}
    is_pcm = given["content-type"].startswith("audio/")
    return {"headers": given, **({"hex": value.hex()} if is_pcm else {"value": value.decode()})}


def _bytes(kept: dict[str, object]) -> tuple[bytes, Headers]:
    headers = kept["headers"]
    assert isinstance(headers, dict)
    value = bytes.fromhex(str(kept["hex"])) if "hex" in kept else str(kept["value"]).encode()
    return value, [(name, text.encode()) for name, text in headers.items()]


def write() -> None:
    """Write every file of ``golden`` anew."""
    for name, form in [
        *((event.type, _form(*encode(event))) for event in EVENTS),
        *((_name(record), _form(*encode_audio(record))) for record in RECORDS),
    ]:
        text = json.dumps(form, ensure_ascii=False, indent=1)
        (GOLDEN / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
