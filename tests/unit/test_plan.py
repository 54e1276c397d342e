"""What `up` decides: order of start and stop, and when a part that ends starts again."""

from graphlib import TopologicalSorter

from hypothesis import given
from hypothesis import strategies as st

from undertone.local.plan import ATTEMPTS, FIRST_WAIT_S, LONGEST_WAIT_S, NEEDS, STOP, WORKERS, History

STOP_WITHIN_S = 15
PROCESSES = {"kafka", "postgres", "web", "demo", *WORKERS}


def test_everything_that_is_needed_is_there_and_nothing_waits_for_itself() -> None:
    order = list(TopologicalSorter(NEEDS).static_order())
    assert set(order) == set(NEEDS)


def test_every_process_is_stopped_once_and_in_time() -> None:
    stopped = [name for wave in STOP for name in wave.names]
    assert sorted(stopped) == sorted(PROCESSES)
    assert sum(wave.grace_s for wave in STOP) < STOP_WITHIN_S - 1


def test_nothing_is_stopped_while_something_that_needs_it_runs() -> None:
    wave_of = {name: number for number, wave in enumerate(STOP) for name in wave.names}

    def needs(name: str) -> set[str]:
        direct = NEEDS[name]
        return set(direct).union(*(needs(need) for need in direct))

    for name in PROCESSES:
        for need in needs(name) & PROCESSES:
            assert wave_of[need] > wave_of[name], f"{need} stops before {name}"
    assert wave_of["web"] < min(wave_of["kafka"], wave_of["postgres"])


def test_a_part_that_says_three_times_at_its_start_that_it_cannot_run_is_hopeless() -> None:
    history = History()
    for _ in range(ATTEMPTS):
        assert not history.is_hopeless
        history = history.ended(status=1, ran_s=2)
    assert history.is_hopeless


def test_a_part_that_is_killed_or_was_ready_once_or_ran_long_is_never_hopeless() -> None:
    killed, ready, long = History(), History().ready(), History()
    for _ in range(2 * ATTEMPTS):
        killed = killed.ended(status=-9, ran_s=2)
        ready = ready.ended(status=1, ran_s=2)
        long = long.ended(status=1, ran_s=3600)
    assert not killed.is_hopeless
    assert not ready.is_hopeless
    assert not long.is_hopeless


def test_waits_double_up_to_a_bound_and_begin_anew_after_a_healthy_run() -> None:
    history, waits = History().ready(), []
    for _ in range(10):
        history = history.ended(status=-9, ran_s=1)
        waits.append(history.wait_s)
    assert waits[:4] == [FIRST_WAIT_S, 2 * FIRST_WAIT_S, 4 * FIRST_WAIT_S, 8 * FIRST_WAIT_S]
    assert waits[-1] == LONGEST_WAIT_S
    assert history.ended(status=-9, ran_s=3600).wait_s == FIRST_WAIT_S


@given(st.lists(st.tuples(st.integers(-15, 3), st.floats(0, 1e5)), max_size=200))
def test_a_wait_is_always_within_its_bounds(ends: list[tuple[int, float]]) -> None:
    history = History()
    for status, ran_s in ends:
        history = history.ended(status, ran_s)
        assert FIRST_WAIT_S <= history.wait_s <= LONGEST_WAIT_S
