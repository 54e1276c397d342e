"""How many records with little audio a session may write."""

from hypothesis import given
from hypothesis import strategies as st

from ingest_api.record_budget import BURST_RECORDS, FORGET_EVERY_MS, RECORDS_PER_S, RecordBudget


def test_a_burst_then_so_many_a_second() -> None:
    budget, now_ms = RecordBudget(), 5_000.0
    assert [budget.take("one", now_ms) for _ in range(BURST_RECORDS)] == [0.0] * BURST_RECORDS
    assert budget.take("one", now_ms) == 1000 / RECORDS_PER_S
    assert budget.take("two", now_ms) == 0
    assert budget.take("one", now_ms + 1000 / RECORDS_PER_S) == 0


@given(st.lists(st.floats(0, 10_000), max_size=200))
def test_never_more_than_the_burst_and_what_time_gives(steps_ms: list[float]) -> None:
    budget, now_ms, taken = RecordBudget(3, 2.0), 0.0, 0
    for step_ms in steps_ms:
        now_ms += step_ms
        wait_ms = budget.take("one", now_ms)
        taken += wait_ms == 0
        assert taken <= 3 + now_ms / 500 + 1e-6
        assert 0 <= wait_ms <= 500


def test_a_full_bucket_is_forgotten() -> None:
    budget = RecordBudget()
    for number in range(1000):
        budget.take(f"session {number}", 0)
    budget.take("another", 2 * FORGET_EVERY_MS)
    assert len(budget) == 1
