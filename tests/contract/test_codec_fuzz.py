"""Whatever bytes and headers a record has: the codec gives a value that can be written again, or says poison."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.contract.test_golden_bytes import EVENTS, RECORDS
from tests.examples import SESSION_ID
from undertone.audio import LAST_SAMPLE
from undertone.codec import MAX_VALUE_BYTES, Headers, decode, decode_audio, encode, encode_audio
from undertone.errors import PoisonError
from undertone.events import Event
from undertone.identifiers import utterance_id
from undertone.records import Audio, AudioRecord, Close, Gap, Open

KEY = SESSION_ID.encode()
NAMES = st.sampled_from(["schema", "content-type", "kind", "at", "connection"]) | st.text(max_size=5)
SCHEMAS = st.builds(
    lambda kind, version: f"undertone.{kind}/{version}".encode(),
    st.sampled_from([*(event.type for event in EVENTS), "audio"]) | st.text(max_size=5),
    st.sampled_from(["1", "0", "2", "-1", "01", "9" * 5000, "1.0", "²", ""]),
)
SHORT = st.sampled_from([b"audio", b"open", b"gap", b"close", b"0", b"1600", b"-1", b"9" * 5000, b"1e9", b"\xff", b""])
HEADERS: st.SearchStrategy[Any] = st.lists(
    st.tuples(NAMES, st.none() | SCHEMAS | SHORT | st.binary(max_size=20)), max_size=6
)
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, [], {}, [[]], "", "\0", "a\0b", "\ud800", "-1", "NaN", "x" * 30_000, SESSION_ID),
        *(-1, 0, 2**31, 2**63, -(2**63) - 1, 10**400, LAST_SAMPLE, LAST_SAMPLE + 1),
        *(1e308, -1e308, float("nan"), float("inf")),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00"),
    ]
)
MANGLED: st.SearchStrategy[Callable[[bytes], bytes]] = st.one_of(
    st.integers(0, 400).map(lambda cut: lambda value: value[:cut]),
    st.tuples(st.integers(0, 400), st.binary(max_size=4)).map(
        lambda put: lambda value: value[: put[0]] + put[1] + value[put[0] + len(put[1]) :]
    ),
)
GOOD = [encode(event) for event in EVENTS]
GOOD_AUDIO = [encode_audio(record) for record in RECORDS]


def read(value: bytes | None, headers: Headers) -> Event | None:
    """The event, checked to survive being written; None for poison. Any other error fails the test."""
    try:
        event = decode(value, headers)
    except PoisonError:
        return None
    assert decode(*encode(event)) == event
    return event


def read_audio(key: bytes | None, value: bytes | None, headers: Headers) -> AudioRecord | None:
    try:
        record = decode_audio(key, value, headers)
    except PoisonError:
        return None
    assert decode_audio(record.session_id.encode(), *encode_audio(record)) == record
    assert 0 <= record.at <= LAST_SAMPLE
    return record


@given(st.none() | st.binary(max_size=200), HEADERS)
@example(b"{}", [("schema", b"undertone.mark/" + b"9" * 5000)])
@example(b"[" * 100_000, [("schema", b"undertone.mark/1")])
def test_any_bytes_are_an_event_or_poison(value: bytes | None, headers: Headers) -> None:
    read(value, headers)


@given(
    st.none() | st.sampled_from([KEY, b"\xff"]) | st.binary(max_size=40), st.none() | st.binary(max_size=99), HEADERS
)
@example(KEY, b"\0\0", [("schema", b"undertone.audio/1"), ("kind", b"audio"), ("at", b"9" * 5000), ("connection", b"")])
def test_any_bytes_are_an_audio_record_or_poison(key: bytes | None, value: bytes | None, headers: Headers) -> None:
    read_audio(key, value, headers)


@settings(max_examples=500)
@given(st.data())
def test_an_event_with_an_odd_field_is_an_event_or_poison(data: st.DataObject) -> None:
    value, headers = data.draw(st.sampled_from(GOOD))
    whole = place = json.loads(value)
    name = data.draw(st.sampled_from(sorted(place)))
    while isinstance(place[name], dict) and place[name] and data.draw(st.booleans()):
        place = place[name]
        name = data.draw(st.sampled_from(sorted(place)))
    place[name] = data.draw(ODD)
    read(json.dumps(whole).encode(), headers)


@settings(max_examples=300)
@given(st.sampled_from(GOOD), MANGLED)
def test_a_mangled_event_is_an_event_or_poison(good: tuple[bytes, Headers], mangle: Callable[[bytes], bytes]) -> None:
    read(mangle(good[0]), good[1])


@settings(max_examples=300)
@given(st.sampled_from(GOOD_AUDIO), MANGLED, st.sampled_from(["kind", "at", "connection", "schema", None]), SHORT)
def test_a_mangled_audio_record_is_one_or_poison(
    good: tuple[bytes, Headers], mangle: Callable[[bytes], bytes], name: str | None, given_value: bytes
) -> None:
    headers = [(each, given_value if each == name else kept) for each, kept in good[1]]
    read_audio(KEY, mangle(good[0]), headers)


@settings(max_examples=300)
@given(st.data())
def test_a_control_with_an_odd_field_is_one_or_poison(data: st.DataObject) -> None:
    value, headers = data.draw(st.sampled_from([good for good in GOOD_AUDIO if good[0].startswith(b"{")]))
    fields = json.loads(value)
    fields[data.draw(st.sampled_from(sorted(fields)))] = data.draw(ODD)
    read_audio(KEY, json.dumps(fields).encode(), headers)


SAMPLES = st.integers(0, LAST_SAMPLE)
WORDS = st.text(st.characters(codec="utf-8"), max_size=50)


@given(
    st.one_of(
        st.builds(
            Open,
            st.just(SESSION_ID),
            WORDS,
            SAMPLES,
            st.none() | WORDS,
            st.none() | st.integers(0, 10**15),
            st.none() | WORDS,
            st.lists(WORDS, max_size=3).map(tuple),
        ),
        st.builds(
            Audio,
            st.just(SESSION_ID),
            WORDS,
            st.integers(0, LAST_SAMPLE - 100),
            st.binary(min_size=1, max_size=50).map(lambda half: half + half),
        ),
        st.builds(Gap, st.just(SESSION_ID), WORDS, SAMPLES, SAMPLES),
        st.builds(Close, st.just(SESSION_ID), WORDS, SAMPLES, st.sampled_from(["stop", "idle"])),
    )
)
def test_an_audio_record_survives_being_written(record: AudioRecord) -> None:
    assert decode_audio(KEY, *encode_audio(record)) == record


@given(st.sampled_from([event for event in EVENTS if "text" in type(event).model_fields]), WORDS)
def test_any_text_survives_being_written(event: Event, text: str) -> None:
    said = event.model_copy(update={"text": text})
    assert decode(*encode(said)) == said


@pytest.mark.parametrize(
    "change",
    [
        {"session_id": "somebody"},
        {"utterance_id": utterance_id(SESSION_ID, 1)},
        {"first_sample": -1},
        {"through": LAST_SAMPLE + 1},
        {"seq": 2**63},
        {"seq": -1},
        {"text": "x" * 30_000},
        {"loudness_dbfs": 1e308},
        {"loudness_dbfs": float("nan")},
        {"timing": {"spoken_at": "0001-01-01T00:00:00+14:00"}},
        {"timing": {"spoken_at": "2026-01-01T00:00:00"}},
    ],
    ids=str,
)
def test_what_those_behind_could_not_bear_is_poison(change: dict[str, object]) -> None:
    value, headers = GOOD[[event.type for event in EVENTS].index("utterance")]
    assert read(value, headers) is not None
    assert read(json.dumps({**json.loads(value), **change}).encode(), headers) is None


def test_a_value_larger_than_a_record_may_be_is_poison() -> None:
    value, headers = GOOD[0]
    assert read(value + b" " * (MAX_VALUE_BYTES - len(value)), headers) is not None
    assert read(value + b" " * (MAX_VALUE_BYTES - len(value) + 1), headers) is None
    _, headers = GOOD_AUDIO[1]
    assert read_audio(KEY, bytes(MAX_VALUE_BYTES), headers) is not None
    assert read_audio(KEY, bytes(MAX_VALUE_BYTES + 2), headers) is None


def test_audio_of_another_session_than_its_key_or_beyond_the_longest_is_poison() -> None:
    for record in RECORDS:
        assert read_audio(KEY, *encode_audio(record)) == record
    other = SESSION_ID[:-1] + "f"
    assert all(read_audio(other.encode(), *encode_audio(each)) is None for each in RECORDS if type(each) is not Audio)
    last = Audio(SESSION_ID, "c", LAST_SAMPLE - 1, b"\0\0")
    assert read_audio(KEY, *encode_audio(last)) == last
    assert read_audio(KEY, *encode_audio(replace(last, at=LAST_SAMPLE))) is None


def test_an_event_is_no_audio_and_audio_no_event() -> None:
    assert all(read_audio(KEY, *good) is None for good in GOOD)
    assert all(read(*good) is None for good in GOOD_AUDIO)
    assert len(GOOD) == len(get_args(Event))
