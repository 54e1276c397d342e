"""How often and how many: exact times to wait, a bound on what is remembered, places that are given back."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from undertone.access.limits import MOST_NAMES, Places, Rate, address_name
from undertone.access.quotas import account_of
from undertone.access.rights import ANYBODY, Caller, Right
from undertone.errors import Refusal
from undertone.identifiers import make_session_id
from undertone.tokens import check_token, make_token


@given(st.integers(1, 20), st.lists(st.floats(0, 30), max_size=200))
def test_no_minute_holds_more_than_twice_the_count_and_waiting_as_told_is_enough(
    count: int, pauses_s: list[float]
) -> None:
    rate, now_s, taken = Rate(count), 1000.0, list[float]()
    for pause_s in pauses_s:
        now_s += pause_s
        wait_s = rate.take("ana", now_s)
        if wait_s > 0:
            now_s += wait_s + 1e-6
            assert rate.take("ana", now_s) == 0.0
        taken.append(now_s)
    for begin_s in taken:
        within = [at_s for at_s in taken if begin_s <= at_s < begin_s + 60]
        assert len(within) <= 2 * count


def test_so_many_at_once_then_one_at_a_time_and_others_are_not_concerned() -> None:
    rate = Rate(6)
    assert [rate.take("ana", 0.0) for _ in range(7)] == [0.0] * 6 + [pytest.approx(10.0)]
    assert rate.take("ben", 0.0) == 0.0
    assert rate.take("ana", 9.9) > 0
    assert rate.take("ana", 10.1) == 0.0
    assert rate.take("ana", 10.1) > 0


def test_a_million_names_are_not_remembered() -> None:
    rate = Rate(1)
    for number in range(MOST_NAMES + 500):
        rate.take(str(number), 0.0)
    assert len(rate._due_s) <= MOST_NAMES
    assert rate.take(str(MOST_NAMES + 499), 0.0) > 0  # the latest are


def test_places_are_given_back_however_the_block_ends() -> None:
    places = Places(2)
    with places.hold("ana"), places.hold("ana"), pytest.raises(Refusal) as refused, places.hold("ana"):
        pass
    assert (refused.value.code, refused.value.status, refused.value.retryable) == ("too_many_streams", 429, True)
    with pytest.raises(RuntimeError), places.hold("ana"):
        raise RuntimeError
    with places.hold("ana"), places.hold("ana"), places.hold("ben"):
        pass
    assert not places._taken


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        (None, "an unknown address"),
        ("testclient", "an unknown address"),
    ],
)
def test_what_an_address_is_counted_under(host: str | None, name: str) -> None:
    assert address_name(host) == name


def test_a_session_goes_on_the_account_of_who_made_it_or_else_of_the_address() -> None:
    secret, session, now = "s" * 32, make_session_id(1_790_000_000_000, 1), datetime.now(UTC)
    scope = {"type": "http", "headers": [], "client": ("192.0.2.7", 1), "state": {}}

    def account(maker: str | None) -> str:
        token = make_token(secret, session, "write", now, 1, maker)
        connection = HTTPConnection(scope)
        connection.state.caller = Caller("session", maker=check_token([secret], token, session, "write"))
        return account_of(connection)

    ana, ben = (Caller(name, frozenset({Right.RECORD})) for name in ("ana", "ben"))
    assert account(ana.digest) == account(ana.digest) != account(ben.digest)
    assert "ana" not in account(ana.digest)
    anybody = Caller(ANYBODY.name, frozenset({Right.OPERATE}))
    assert account(None) == account(anybody.digest) == "192.0.2.7"
