"""When partitions count as read: a completed fetch, handed out to its end, and never sooner than it happened."""

from aiokafka import TopicPartition

from undertone.freshness import Freshness

ONE, TWO = TopicPartition("deletions", 0), TopicPartition("deletions", 1)


class Fetched:
    """The numbers of a consumer, set by hand."""

    def __init__(self) -> None:
        self.at_ms: dict[TopicPartition, int | None] = {ONE: None, TWO: None}
        self.ends = {ONE: 0, TWO: 0}
        self.positions = {ONE: 0, TWO: 0}

    def last_poll_timestamp(self, partition: TopicPartition) -> int | None:
        return self.at_ms[partition]

    def highwater(self, partition: TopicPartition) -> int | None:
        return self.ends[partition]

    async def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]


class Clock:
    """Seconds, set by hand."""

    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def begun() -> tuple[Freshness, Fetched, Clock]:
    clock = Clock()
    freshness = Freshness(30.0, clock)
    freshness.begin([ONE, TWO], clock.now_s)
    return freshness, Fetched(), clock


async def test_without_a_completed_fetch_it_goes_stale() -> None:
    freshness, fetched, clock = begun()
    for now_s in (101.0, 115.0, 130.0):
        clock.now_s = now_s
        await freshness.look(fetched)
        assert not freshness.is_stale
    clock.now_s = 130.1
    assert freshness.is_stale


async def test_an_idle_log_is_fresh_and_one_partition_without_a_leader_is_enough_to_go_stale() -> None:
    freshness, fetched, clock = begun()
    for second in range(1, 60):
        clock.now_s = 100.0 + second
        fetched.at_ms = {ONE: second, TWO: second}
        await freshness.look(fetched)
        assert freshness.age_s <= 1.0
    for second in range(60, 91):
        clock.now_s = 100.0 + second
        fetched.at_ms = {ONE: second, TWO: 59}
        await freshness.look(fetched)
    assert freshness.is_stale


async def test_what_is_fetched_and_not_handed_out_is_not_read() -> None:
    freshness, fetched, clock = begun()
    fetched.at_ms, fetched.ends = {ONE: 1, TWO: 1}, {ONE: 7, TWO: 0}
    for now_s in (101.0, 140.0):
        clock.now_s = now_s
        await freshness.look(fetched)
    assert freshness.is_stale
    fetched.positions[ONE] = 7
    await freshness.look(fetched)
    assert freshness.age_s == 40.0  # the fetch was as long ago as that


async def test_a_process_that_was_stopped_is_stale_until_it_has_fetched_again() -> None:
    freshness, fetched, clock = begun()
    clock.now_s, fetched.at_ms = 101.0, {ONE: 1, TWO: 1}
    await freshness.look(fetched)
    clock.now_s, fetched.at_ms = 200.0, {ONE: 2, TWO: 2}  # perhaps completed before it was stopped
    assert freshness.is_stale
    await freshness.look(fetched)
    assert freshness.is_stale
    clock.now_s, fetched.at_ms = 200.1, {ONE: 3, TWO: 3}
    await freshness.look(fetched)
    assert not freshness.is_stale
