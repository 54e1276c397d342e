"""Holes and offsets in the time stamps of a container become silence of their length."""

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.containers import Track, make_container, tone
from undertone.errors import Refusal
from undertone.recording.decoder import decode
from undertone.recording.limits import decode_limits
from undertone.recording.timeline import Timeline

DATA = Path(__file__).parents[1] / "data" / "recordings"
CELL = 1600


def loud(data: bytes) -> list[tuple[float, float]]:
    """The stretches of sound, in seconds to a tenth."""
    samples = np.frombuffer(b"".join(decode(io.BytesIO(data), decode_limits())), "<i2")
    cells = np.abs(samples[: len(samples) // CELL * CELL].astype(int)).reshape(-1, CELL).max(axis=1) > 500
    edges = np.flatnonzero(np.diff(np.concatenate([[False], cells, [False]]).astype(int)))
    return [(float(begin) / 10, float(end) / 10) for begin, end in edges.reshape(-1, 2)]


def test_a_hole_in_a_live_recording_is_a_gap() -> None:
    speech = loud((DATA / "16c-hole-live.webm").read_bytes())
    assert all(end < 3.7 or begin > 23.3 for begin, end in speech)
    assert speech[-1][0] == pytest.approx(23.4, abs=0.15)


def test_a_sound_that_begins_late_is_late() -> None:
    assert loud((DATA / "16d-offset-live.webm").read_bytes())[0][0] == pytest.approx(4.9, abs=0.15)


SOUND = tone(3)
HOLES: dict[str, tuple[bytes, list[tuple[float, float]]]] = {
    "live": (make_container("webm", [Track(SOUND, ((1.5, 20),))], live=True), [(0, 1.5), (21.5, 23)]),
    "with a duration": (make_container("webm", [Track(SOUND, ((1.5, 20),))]), [(0, 1.5), (21.5, 23)]),
    "two": (make_container("webm", [Track(SOUND, ((1, 2), (2, 3)))], live=True), [(0, 1), (3, 4), (7, 8)]),
    "short": (make_container("matroska", [Track(SOUND, ((1.5, 0.3),), codec="flac")]), [(0, 1.5), (1.8, 3.3)]),
    "PCM": (make_container("matroska", [Track(SOUND, ((1.5, 7),), codec="pcm_s16le")]), [(0, 1.5), (8.5, 10)]),
    "late": (make_container("webm", [Track(SOUND, ((0, 5),))], picture_s=9, live=True), [(5, 8)]),
    "late, then a hole": (
        make_container("webm", [Track(SOUND, ((0, 4), (1.5, 6)))], picture_s=9, live=True),
        [(4, 5.5), (11.5, 13)],
    ),
    "of a stereo sound": (
        make_container("webm", [Track(np.stack([SOUND, SOUND], 1), ((1.5, 20),))], live=True),
        [(0, 1.5), (21.5, 23)],
    ),
    "begun in the middle of a stream": (make_container("webm", [Track(SOUND, ((-1, 100),))], live=True), [(0, 3)]),
    "stamps that go back": (make_container("webm", [Track(SOUND, ((1.5, -1.5),))], live=True), [(0, 3)]),
    "joined, the second with a hole": (
        make_container("webm", [Track(SOUND)]) + make_container("webm", [Track(SOUND, ((1.5, 4),))]),
        [(0, 4.5), (8.5, 10)],
    ),
}


@pytest.mark.parametrize("name", HOLES)
def test_stamps_are_followed(name: str) -> None:
    data, expected = HOLES[name]
    found = [stretch for stretch in loud(data) if stretch[1] - stretch[0] > 0.25]  # encoders click at a jump
    assert np.array(found) == pytest.approx(np.array(expected), abs=0.15)


def test_a_hole_in_ogg_lengthens_the_recording() -> None:
    found = loud(make_container("ogg", [Track(SOUND, ((1.5, 20),))]))
    assert len(found) == 2
    assert found[-1][1] == pytest.approx(23, abs=0.15)


@pytest.mark.parametrize(("hole_s", "code"), [(20_000, "file_expands_too_much"), (3_000_000, "file_too_long")])
def test_a_hole_counts_for_the_length_of_a_file(hole_s: int, code: str) -> None:
    data = make_container("matroska", [Track(tone(0.3), ((0.1, hole_s),))])
    with pytest.raises(Refusal) as caught:
        loud(data)
    assert caught.value.code == code


def ends(stamps: Sequence[Fraction | None]) -> tuple[list[Fraction], Fraction]:
    """Where each frame of a tenth of a second is placed, and the end."""
    timeline, places = Timeline(), []
    for stamp in stamps:
        before = timeline.at
        hole = timeline.place(stamp, Fraction(1, 10))
        places.append(before if hole is None else hole)
    return places, timeline.at


def test_jitter_and_drift_move_nothing() -> None:
    steady = [Fraction(index, 10) for index in range(100)]
    shaky = [stamp + Fraction(index % 7 - 3, 50) if index else stamp for index, stamp in enumerate(steady)]
    assert ends(shaky) == ends(steady) == (steady, Fraction(10))
    slow = [stamp * Fraction(999, 1000) for stamp in steady]
    assert ends(slow) == (steady, Fraction(10))


def test_a_clock_that_runs_ahead_is_followed_in_small_steps() -> None:
    fast = [Fraction(index, 10) * Fraction(1001, 1000) for index in range(10_000)]
    places, end = ends(fast)
    assert all(0 <= stamp - place <= Fraction(1, 10) for stamp, place in zip(fast, places, strict=True))
    assert float(end) == pytest.approx(1001, abs=0.2)


def test_holes_are_followed_after_stamps_have_gone_back() -> None:
    stamps = [Fraction(50), Fraction(501, 10), Fraction(0), Fraction(1, 10), Fraction(5)]
    assert ends(stamps)[0] == [50, Fraction(501, 10), Fraction(502, 10), Fraction(503, 10), Fraction(552, 10)]


def test_frames_without_stamps_follow_each_other() -> None:
    assert ends([Fraction(0), None, None, Fraction(5), None])[0] == [
        0,
        Fraction(1, 10),
        Fraction(2, 10),
        5,
        Fraction(51, 10),
    ]


@given(st.lists(st.one_of(st.none(), st.fractions(-1000, 1000)), min_size=1, max_size=50))
def test_no_sound_is_ever_dropped_or_doubled(stamps: list[Fraction | None]) -> None:
    places, end = ends(stamps)
    assert all(after - before >= Fraction(1, 10) for before, after in zip(places, [*places[1:], end], strict=True))
