"""Who may begin: a pure decision from what the transcribers report."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ingest_api.admission import (
    PROVEN_AFTER_S,
    RETRY_AT_LEAST_S,
    RETRY_AT_MOST_S,
    Admission,
    Fleet,
    RecentSession,
    Rules,
    admit,
    look,
    retry_after_s,
    room,
)

RULES = Rules(refuse_above_s=10, admit_below_s=3, unheard_at_most_s=3600)
IDLE = Fleet(backlog_s=0, speed=28, load=0)
FLEETS = st.builds(Fleet, backlog_s=st.floats(0, 1e6), speed=st.floats(0.1, 1e4), load=st.floats(0, 1.2))


def waiting(seconds: float, load: float = 0) -> Fleet:
    return Fleet(backlog_s=seconds * IDLE.speed, speed=IDLE.speed, load=load)


def many(count: int, fleet: Fleet | None, unheard_s: float = 0, now_s: float = 0) -> int:
    """How many of so many who ask at once may begin."""
    admission, taken = Admission(), 0
    for number in range(count):
        admission, wait_s = admit(admission, f"s{number}", fleet, unheard_s, now_s, RULES)
        taken += wait_s is None
    return taken


def test_refusing_begins_above_one_bound_and_ends_below_the_other() -> None:
    admission = Admission()
    told = []
    for wait_s in (2, 9, 11, 9, 4, 2.9, 9):
        admission = look(admission, waiting(wait_s), 0, 0, RULES)
        told.append(admission.is_refusing)
    assert told == [False, False, True, True, True, False, False]


def test_a_class_that_begins_at_once_is_taken_as_far_as_there_is_room() -> None:
    assert many(64, IDLE) == room(IDLE) == 17
    assert many(64, replace(IDLE, load=0.7)) == 3
    assert many(64, replace(IDLE, load=1.1)) == 1
    assert many(64, waiting(1.1, load=1.1)) == 0
    assert admit(Admission(), "s", waiting(1.1, load=1.1), 0, 7.0, RULES) == (Admission(), PROVEN_AFTER_S)


def test_who_was_refused_for_want_of_room_may_ask_when_the_first_is_proven() -> None:
    admission = Admission(recent=(RecentSession("first", 100.0),))
    after, wait_s = admit(admission, "second", replace(IDLE, load=1), 0, 105.0, RULES)
    assert wait_s == PROVEN_AFTER_S - 5
    assert after == admission
    after, wait_s = admit(admission, "second", replace(IDLE, load=1), 0, 100 + PROVEN_AFTER_S, RULES)
    assert wait_s is None
    assert after.recent == (RecentSession("second", 100 + PROVEN_AFTER_S),)


def test_a_session_that_has_ended_makes_room_at_once() -> None:
    """Short files one after the other: each ends before the next begins."""
    admission, ended = Admission(), set[str]()
    for number in range(100):
        admission = admission.without_ended(ended.__contains__)
        admission, wait_s = admit(admission, f"s{number}", replace(IDLE, load=1), 0, number / 100, RULES)
        assert wait_s is None
        ended.add(f"s{number}")


def test_a_session_that_goes_on_keeps_its_room_when_others_end() -> None:
    admission = Admission()
    for name in ("ends", "goes on"):
        admission, wait_s = admit(admission, name, replace(IDLE, load=0.74), 0, 0, RULES)
        assert wait_s is None
    admission, wait_s = admit(admission, "too many", replace(IDLE, load=0.74), 0, 1, RULES)
    assert wait_s == PROVEN_AFTER_S - 1
    admission = admission.without_ended("ends".__eq__)
    assert admission.recent == (RecentSession("goes on", 0),)
    assert admit(admission, "next", replace(IDLE, load=0.74), 0, 1, RULES)[1] is None


def test_without_a_transcriber_the_log_is_the_bound() -> None:
    assert many(1000, None, unheard_s=3600) == 1000
    assert many(1000, None, unheard_s=3601) == 0
    assert admit(Admission(), "s", None, 3601, 0, RULES)[1] == RETRY_AT_MOST_S


def test_who_wants_to_refuse_nobody_refuses_nobody() -> None:
    rules = replace(RULES, refuse_above_s=0)
    for fleet in (None, waiting(1000, load=1)):
        assert admit(Admission(recent=(RecentSession("s", 0.0),)), "t", fleet, 1e9, 1, rules)[1] is None
        assert not look(Admission(), fleet, 1e9, 1, rules).is_refusing


def test_what_the_log_holds_counts_when_the_transcribers_have_not_fetched_it() -> None:
    assert many(1, IDLE, unheard_s=9 * IDLE.speed) == 1
    assert many(1, IDLE, unheard_s=11 * IDLE.speed) == 0


@given(fleet=FLEETS, unheard_s=st.floats(0, 1e6), factor=st.floats(1, 100))
def test_one_asks_later_the_more_waits_and_the_slower_it_is_heard(
    fleet: Fleet, unheard_s: float, factor: float
) -> None:
    wait_s = retry_after_s(fleet, unheard_s, RULES)
    assert RETRY_AT_LEAST_S <= wait_s <= RETRY_AT_MOST_S
    assert retry_after_s(replace(fleet, backlog_s=factor * fleet.backlog_s), unheard_s, RULES) >= wait_s
    assert retry_after_s(fleet, factor * unheard_s, RULES) >= wait_s
    assert retry_after_s(replace(fleet, speed=factor * fleet.speed), unheard_s, RULES) <= wait_s


@given(st.lists(st.tuples(st.floats(0, 30), st.none() | FLEETS, st.floats(0, 1e4)), max_size=60))
def test_a_refusal_says_when_and_what_is_remembered_is_bounded(
    asked: list[tuple[float, Fleet | None, float]],
) -> None:
    admission, now_s = Admission(), 0.0
    for passed_s, fleet, unheard_s in asked:
        now_s += passed_s
        admission, wait_s = admit(admission, "s", fleet, unheard_s, now_s, RULES)
        assert wait_s is None or RETRY_AT_LEAST_S <= wait_s <= RETRY_AT_MOST_S
        assert all(0 <= now_s - each.began_s < PROVEN_AFTER_S for each in admission.recent)
        if wait_s is None and fleet is not None:
            assert len(admission.recent) <= max(1, room(fleet))


@given(fleet=FLEETS)
def test_one_always_may_while_nothing_waits(fleet: Fleet) -> None:
    assert many(1, replace(fleet, backlog_s=0)) == 1
