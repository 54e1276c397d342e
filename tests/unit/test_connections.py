"""Limits of open connections, and the deadlines of what a connection has to receive."""

import pytest
from pydantic import SecretStr

from undertone.local.connections import Connections, most_connections, most_of_address
from undertone.local.request_clock import (
    BODY_SILENT_S,
    BODY_WITHIN_S,
    HEAD_WITHIN_S,
    IDLE_WITHIN_S,
    LEFTOVER_WITHIN_S,
    SLOWEST_BYTES_PER_S,
    RequestClock,
)
from undertone.settings import Settings


@pytest.mark.parametrize(("file_limit", "most"), [(1024, 768), (4096, 3072), (1_048_576, 10_000)])
def test_descriptors_are_left_for_everything_else(file_limit: int, most: int) -> None:
    assert most_connections(file_limit) == most


def test_an_address_gets_many_times_its_streams_and_an_open_instance_has_no_limit() -> None:
    closed = Settings(secret=SecretStr("s" * 64))
    assert most_of_address(closed) == 1000
    assert most_of_address(closed.model_copy(update={"streams_per_address": 1})) == 100
    assert most_of_address(closed.model_copy(update={"access": "open"})) is None


def test_an_address_has_its_limit_and_the_whole_has_one() -> None:
    connections = Connections(5, 2)
    assert connections.admit(1, "192.0.2.1") is None
    assert connections.admit(2, "192.0.2.1") is None
    refusal = connections.admit(3, "192.0.2.1")
    assert refusal is not None
    assert (refusal.status, refusal.retryable) == (429, True)
    assert connections.admit(4, "2001:db8::1") is None
    assert connections.admit(5, "2001:db8::2") is None
    assert connections.admit(6, "2001:db8::3") is not None, "one subscriber's network counts as one address"
    assert connections.admit(7, "192.0.2.2") is None
    refusal = connections.admit(8, "192.0.2.3")
    assert refusal is not None
    assert refusal.status == 503
    assert connections.release(1)
    assert not connections.release(1)
    assert not connections.release(8), "a refused one was never counted"
    assert connections.admit(9, "192.0.2.1") is None
    for key in (2, 4, 5, 7, 9):
        connections.release(key)
    assert len(connections) == 0
    assert not connections._of_name


def test_a_trusted_proxy_has_no_limit_but_that_of_the_whole() -> None:
    connections = Connections(3, 1, lambda host: host == "10.0.0.1")
    assert [connections.admit(key, "10.0.0.1") for key in range(3)] == [None] * 3
    assert connections.admit(3, "10.0.0.1") is not None


def test_a_head_is_due_from_the_connection_on_and_then_from_where_it_began() -> None:
    clock = RequestClock(100.0)
    clock.begin_head(110.0)
    assert clock.due_s() == 100 + HEAD_WITHIN_S
    clock.begin_body(111.0)
    clock.end_request(111.0)
    assert clock.due_s() is None
    clock.begin_head(120.0)  # pipelined
    assert clock.due_s() == 120 + HEAD_WITHIN_S


def test_a_body_is_due_by_silence_by_rate_and_at_all() -> None:
    clock = RequestClock(0.0)
    clock.begin_body(0.0)
    assert clock.due_s() == BODY_SILENT_S
    clock.take_body(1, 20.0)
    assert clock.due_s() == pytest.approx(BODY_SILENT_S, abs=0.01), "one byte buys no time"
    clock.take_body(100 * SLOWEST_BYTES_PER_S, 21.0)
    assert clock.due_s() == 21 + BODY_SILENT_S
    for second in range(22, 2000):
        clock.take_body(1_000_000, float(second))
    assert clock.due_s() == BODY_WITHIN_S


def test_a_body_whose_request_is_answered_is_due_soon_whatever_comes() -> None:
    clock = RequestClock(0.0)
    clock.begin_body(0.0)
    clock.end_answer(1.0)
    clock.take_body(1_000_000, 5.0)
    assert clock.due_s() == 1 + LEFTOVER_WITHIN_S
    clock.end_request(5.5)
    assert clock.due_s() == 5.5 + IDLE_WITHIN_S


def test_an_idle_connection_is_due_from_its_last_answer() -> None:
    clock = RequestClock(0.0)
    for begin_s in (1.0, 1.5):
        clock.begin_head(begin_s)
        clock.begin_body(begin_s)
        clock.end_request(begin_s)
    clock.end_answer(2.0)
    assert clock.due_s() is None
    clock.end_answer(3.0)
    assert clock.due_s() == 3 + IDLE_WITHIN_S
