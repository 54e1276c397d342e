"""Windows from finals and marks, against a plain recount of all of them; repeats, restarts and older memories."""

import json
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from stream_apps.windows import apply
from tests.examples import SESSION_ID, mark, utterance
from tests.recomputation import all_places, figures, is_kept, recount
from undertone.audio import to_ms
from undertone.events import Label, Mark, OpenWindow, Statistics, Suppression, Utterance, Window
from undertone.windows import SIZES_MS, WHOLE, Place, fill, place_of, places, places_back

LABELS: list[Label | None] = ["positive", "neutral", "negative", None]
SUPPRESSED: list[Suppression | None] = [None, None, None, "no_speech"]
NEW_TO_MEMORY = {"score_min_e4", "score_max_e4", "pause_ms", "talked_until_ms"}


@st.composite
def sessions(draw: st.DrawFn) -> list[Utterance | Mark]:
    """Finals and marks in order; each utterance begins at or after the boundary before it."""
    events: list[Utterance | Mark] = []
    at_ms = 0
    for seq in range(1, draw(st.integers(1, 15)) + 1):
        at_ms += draw(st.one_of(st.just(0), st.integers(0, 15_000), st.just(-at_ms % 10_000)))
        if draw(st.booleans()):
            length_ms = draw(st.integers(160, 28_000))
            label, suppressed = draw(st.sampled_from(LABELS)), draw(st.sampled_from(SUPPRESSED))
            events.append(
                utterance(
                    seq,
                    at_ms,
                    at_ms + length_ms,
                    label if suppressed is None else None,
                    score=draw(st.integers(-10_000, 10_000)) / 10_000,
                    text=" ".join(["word"] * draw(st.integers(0, 40))),
                    suppressed=suppressed,
                    loudness_dbfs=draw(st.integers(-600, 0)) / 10,
                )
            )
            at_ms += length_ms
        else:
            at_ms += 1
            events.append(mark(seq, at_ms))
    return [*events, mark(len(events) + 1, at_ms, "stop")]


def run(events: list[Utterance | Mark]) -> dict[Place, Window]:
    statistics, stored = Statistics(session_id=SESSION_ID), dict[Place, Window]()
    for event in events:
        statistics, changed = apply(statistics, event)
        assert [window.size_ms for window in changed[-1:]] in ([], [WHOLE])
        stored.update({place_of(window): window for window in changed})
    return stored


@settings(max_examples=150, deadline=None)
@given(sessions(), st.data())
def test_every_window_equals_a_recomputation_from_the_utterances(
    events: list[Utterance | Mark], data: st.DataObject
) -> None:
    """At the end, and as it was shown at any moment before."""
    now = data.draw(st.sampled_from([len(events), *range(1, len(events))]))
    stored = run(events[:now])
    length_ms = to_ms(events[now - 1].through)
    finals = [event for event in events[:now] if isinstance(event, Utterance)]
    shown = fill(stored.values(), places(length_ms), stored[Place(WHOLE, 0)])
    assert set(shown) == all_places(length_ms)
    for place, window in shown.items():
        assert figures(window) == figures(recount(finals, place, length_ms)), place
        assert window.final or now < len(events)
        assert is_kept(window) == (place in stored)


@settings(max_examples=50, deadline=None)
@given(sessions(), st.data())
def test_repeats_and_a_restart_at_any_point_change_nothing(events: list[Utterance | Mark], data: st.DataObject) -> None:
    back = data.draw(st.integers(0, len(events)))
    again = data.draw(st.integers(0, back))
    assert run([*events[:back], *events[again:back], *events[back:]]) == run(events)


def test_a_window_is_final_once_the_session_is_heard_past_it() -> None:
    statistics, _ = apply(Statistics(session_id=SESSION_ID), utterance(1, 500, 9_999))
    _, changed = apply(statistics, mark(2, 10_000))
    assert {(window.size_ms, window.start_ms): window.final for window in changed} == {
        (0, 0): False,
        (10_000, 0): True,
        (60_000, 0): False,
    }


def test_a_pause_is_the_longest_stretch_in_which_nobody_who_counts_talks() -> None:
    stored = run(
        [
            utterance(1, 1_000, 2_000),
            utterance(2, 6_000, 7_000, None),  # not judged: it is talk all the same
            utterance(3, 12_000, 19_000, None, suppressed="no_speech"),
            utterance(4, 24_000, 25_000),
            mark(5, 28_000),
        ]
    )
    shown = fill(stored.values(), places(28_000), stored[Place(WHOLE, 0)])
    pauses = {place: window.longest_pause_ms for place, window in shown.items()}
    assert pauses == {
        (0, 0): 17_000,  # from 7 s to 24 s
        (60_000, 0): 17_000,
        (10_000, 0): 4_000,  # from 2 s to 6 s, longer than the 3 s to its end
        (10_000, 10_000): 10_000,  # all of it
        (10_000, 20_000): 4_000,  # from its beginning to 24 s, longer than the 3 s heard since
    }


def test_a_day_of_silence_changes_the_whole_session_window_alone() -> None:
    day_ms = 86_400_000
    before, _ = apply(Statistics(session_id=SESSION_ID), utterance(1, 12_000, 13_000))
    after, changed = apply(before, mark(2, day_ms))
    assert [place_of(window) for window in changed] == [(10_000, 10_000), (60_000, 0), (WHOLE, 0)]
    assert [place_of(window) for window in after.windows] == [(WHOLE, 0)]
    _, changed = apply(after, utterance(3, day_ms + 15_000, day_ms + 21_000))
    assert [place_of(window) for window in changed] == [
        (10_000, day_ms + 10_000),
        (10_000, day_ms + 20_000),
        (60_000, day_ms),
        (WHOLE, 0),
    ]


def test_an_empty_window_that_an_older_version_began_is_finished() -> None:
    """Its row says that it is open: without a last word that would be so for ever."""
    begun = OpenWindow(size_ms=10_000, start_ms=20_000, talked_until_ms=20_000)
    old = Statistics(
        session_id=SESSION_ID, seq=1, through_ms=23_000, windows=(OpenWindow(size_ms=WHOLE, start_ms=0), begun)
    )
    open_after, changed = apply(old, mark(2, 28_000))
    assert [(window.start_ms, window.final, window.silence_ms) for window in changed[:-1]] == [(20_000, False, 8_000)]
    past_after, changed = apply(open_after, mark(3, 41_000))
    assert [(window.start_ms, window.final, window.silence_ms) for window in changed[:-1]] == [(20_000, True, 10_000)]
    assert [place_of(window) for window in past_after.windows] == [(WHOLE, 0)]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 200_000), st.sampled_from([None, WHOLE, *SIZES_MS]), st.integers(1, 9))
def test_places_in_pages_are_all_places_once_and_in_order(length_ms: int, size_ms: int | None, limit: int) -> None:
    found = list[Place]()
    after = Place(-1, 0)
    while page := list(islice(places(length_ms, after, size_ms), limit)):
        found += page
        after = page[-1]
    assert found == sorted(place for place in all_places(length_ms) if size_ms in (None, place.size_ms))


@given(st.integers(0, 200_000), st.integers(0, 200_000))
def test_places_backwards_begin_with_the_latest(length_ms: int, from_ms: int) -> None:
    wanted = [place for place in all_places(length_ms) if place.size_ms != WHOLE and place.start_ms >= from_ms]
    assert list(places_back(length_ms, from_ms)) == sorted(wanted, key=lambda place: (-place.start_ms, place.size_ms))


@given(st.integers(-(2**63), 2**63), st.integers(-(2**63), 2**63))
def test_places_behind_any_place_are_places(size_ms: int, start_ms: int) -> None:
    """A cursor comes from a caller, who may have made it."""
    found = list(islice(places(100_000, Place(size_ms, start_ms)), 100))
    assert found == sorted(place for place in all_places(100_000) if place > (size_ms, start_ms))


def test_the_extremes_are_of_what_is_judged() -> None:
    stored = run(
        [
            utterance(1, 0, 1_000, "neutral", score=-0.02),
            utterance(2, 1_000, 2_000, "negative", score=-0.9),
            utterance(3, 2_000, 3_000, None),
            utterance(4, 11_000, 12_000, None),
            mark(5, 12_000, "stop"),
        ]
    )
    assert (stored[Place(0, 0)].score_min, stored[Place(0, 0)].score, stored[Place(0, 0)].score_max) == (
        -0.9,
        -0.46,
        -0.02,
    )
    unjudged = stored[Place(10_000, 10_000)]
    assert (unjudged.utterances, unjudged.score_min, unjudged.score, unjudged.score_max) == (1, None, None, None)


def test_halves_are_rounded_away_from_zero_as_in_sql() -> None:
    stored = run([utterance(1, 0, 1_000, score=-0.0001), utterance(2, 1_000, 2_000, score=-0.0002), mark(3, 2_000)])
    assert stored[Place(0, 0)].score == -0.0002


def test_a_window_that_an_older_version_began_does_not_guess_what_it_did_not_keep() -> None:
    before, _ = apply(Statistics(session_id=SESSION_ID), utterance(1, 0, 1_000, score=0.9))
    kept = json.loads(before.model_dump_json())
    for window in kept["windows"]:
        for name in NEW_TO_MEMORY:
            del window[name]
    old = Statistics.model_validate(kept)
    assert old.windows[-1] == OpenWindow(
        size_ms=0,
        start_ms=0,
        utterances=1,
        positive=1,
        score_e4=9_000,
        talk_ms=1_000,
        words=3,
        spoken_ms=1_000,
        loudness_dms=-217_000,
    )
    _, changed = apply(old, utterance(2, 9_000, 12_000, score=-0.5))
    windows = {(window.size_ms, window.start_ms): window for window in changed}
    whole = windows[0, 0]
    assert (whole.score, whole.score_min, whole.score_max, whole.longest_pause_ms) == (0.2, None, None, None)
    begun = windows[10_000, 10_000]
    assert (begun.talk_ms, begun.longest_pause_ms) == (2_000, 0)


def test_a_window_that_an_older_version_wrote_is_read_without_what_it_did_not_keep() -> None:
    whole = run([utterance(1, 0, 1_000), mark(2, 5_000, "stop")])[Place(WHOLE, 0)]
    kept = json.loads(whole.model_dump_json(exclude={"score_min", "score_max", "longest_pause_ms"}))
    assert Window.model_validate(kept) == whole.model_copy(
        update={"score_min": None, "score_max": None, "longest_pause_ms": None}
    )
