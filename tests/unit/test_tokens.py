"""Tokens under clocks that differ: the replica that makes one and the one that reads it, or a clock that steps back."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.test_rights import SECRET
from undertone.errors import Refusal
from undertone.tokens import LEEWAY, Kind, read, sign

KINDS: tuple[Kind, ...] = ("session", "login", "link")


def token(kind: Kind, issued_ahead: timedelta, lifetime: timedelta = timedelta(hours=1)) -> str:
    return sign(SECRET, kind, {"sub": "somebody"}, datetime.now(UTC) + issued_ahead, lifetime)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ahead_s", [-2, 0, 2, 40])
def test_clocks_may_differ_by_a_minute(kind: Kind, ahead_s: int) -> None:
    assert read([SECRET], kind, token(kind, timedelta(seconds=ahead_s)))["sub"] == "somebody"


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_further_from_the_future_is_worth_another_try(kind: Kind) -> None:
    with pytest.raises(Refusal) as caught:
        read([SECRET], kind, token(kind, 2 * LEEWAY))
    assert (caught.value.code, caught.value.status, caught.value.retryable) == ("token_early", 401, True)
    assert caught.value.retry_after_ms


@pytest.mark.parametrize("kind", KINDS)
def test_an_expired_one_is_accepted_for_as_long_as_clocks_may_differ(kind: Kind) -> None:
    assert read([SECRET], kind, token(kind, timedelta(seconds=-62), timedelta(seconds=60)))
    with pytest.raises(Refusal) as caught:
        read([SECRET], kind, token(kind, -3 * LEEWAY, timedelta(seconds=60)))
    assert (caught.value.code, caught.value.retryable) == ("token_expired", False)
