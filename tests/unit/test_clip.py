"""An utterance as sound: the samples that the transcriber heard, whatever else the log holds; and its file."""

import io
import wave

import pytest
from hypothesis import given

from dashboards.clip import Clip, asked_part, wav
from stream_apps.listener import Entry
from tests.heard import heard
from tests.unit.test_listener import QUICK, SESSION_ID, Log, entries_of, logs, sound, split
from undertone.records import Audio, AudioRecord, Close, Gap, Open


def clip_of(records: Log, first: int, end: int) -> Clip:
    return clip_of_entries(entries_of(records), first, end)


def clip_of_entries(entries: list[Entry], first: int, end: int, opened_offset: int | None = None) -> Clip:
    clip = Clip(first, end, opened_offset)
    for entry in entries:
        clip.add(entry.offset, entry.record)
    return clip


@QUICK
@given(logs())
def test_it_is_exactly_what_the_transcriber_heard(both: tuple[Log, Log]) -> None:
    """Reconnections, late starts, repeats, jumps, strays and gaps in the log: see ``logs``."""
    entries = entries_of(both[0])
    for speech in heard(SESSION_ID, entries):
        span = [entry for entry in entries if speech.first_offset <= entry.offset <= speech.last_offset]
        clip = clip_of_entries(span, speech.start, speech.end, speech.opened_offset)
        assert clip.is_whole
        assert clip.pcm == speech.samples.tobytes()
        assert not clip_of_entries(span[:-1], speech.start, speech.end, speech.opened_offset).is_whole
        assert not clip_of([], speech.start, speech.end).is_whole


PCM = sound(("loud", 4000))


@pytest.mark.parametrize(
    "between",
    [[Gap(SESSION_ID, "a", 2000, 5000)], [Open(SESSION_ID, "b", 5000)], [Gap(SESSION_ID, "a", 1500, 5000)]],
    ids=["declared", "of a new connection", "that begins before"],
)
def test_a_gap_is_silence(between: list[AudioRecord]) -> None:
    connection = "b" if isinstance(between[0], Open) else "a"
    log = [*split(PCM[:4000], [700]), *between, *split(PCM[4000:], [900], connection, 5000)]
    clip = clip_of(log, 100, 6900)
    assert clip.is_whole
    assert clip.pcm == PCM[200:4000] + bytes(6000) + PCM[4000:7800]


@pytest.mark.parametrize(
    "stray",
    [
        Gap(SESSION_ID, "a", 2100, 5000),  # behind a record that was never written
        Gap(SESSION_ID, "old", 2000, 5000),
        Close(SESSION_ID, "a", 2000, "idle"),
        Audio(SESSION_ID, "old", 2000, PCM),
        Audio(SESSION_ID, "a", 2001, PCM),
        Audio(SESSION_ID, "a", 100, bytes(3800)),
    ],
    ids=lambda stray: f"{type(stray).__name__} {stray.connection} {stray.at}",
)
def test_what_does_not_count_is_not_heard(stray: AudioRecord) -> None:
    clip = clip_of([*split(PCM[:4000], [700]), stray, *split(PCM[4000:], [900], at=2000)], 0, 4000)
    assert clip.pcm == PCM


def test_it_begins_with_the_record_that_holds_its_first_sample() -> None:
    pieces = split(PCM, [1000])
    assert clip_of(pieces, 1500, 3500).pcm == PCM[3000:7000]
    late = clip_of(pieces[2:], 1500, 3500)
    assert (late.is_whole, late.pcm) == (False, bytes(4000))


def test_the_file_is_a_wav_of_the_one_format() -> None:
    with wave.open(io.BytesIO(wav(PCM))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        assert file.readframes(10_000) == PCM
    assert len(wav(b"")) == 44


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        (None, None),
        ("bytes=0-", slice(0, 1000)),  # Chromium and Firefox
        ("bytes=0-1", slice(0, 2)),  # Safari
        ("bytes=990-999", slice(990, 1000)),
        ("bytes=990-5000", slice(990, 1000)),
        ("bytes=-10", slice(990, 1000)),
        ("bytes=-5000", slice(0, 1000)),
        ("bytes=1000-", None),
        ("bytes=5-4", None),
        ("bytes=-0", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("samples=0-1", None),
        ("bytes=" + "9" * 5000 + "-", None),
        ("bytes=²-", None),
    ],
)
def test_the_one_part_that_players_ask_for(asked: str | None, part: slice | None) -> None:
    assert asked_part(asked, 1000) == part
