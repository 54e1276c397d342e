"""How many replicas must have a record before it is acknowledged."""

import pytest

from undertone.bootstrap import TopicState, _wanted
from undertone.settings import Settings
from undertone.topics import AUDIO, min_insync_replicas


@pytest.mark.parametrize(("replicas", "least"), [(1, 1), (2, 1), (3, 2), (5, 4)])
def test_all_but_one_replica_must_have_what_is_acknowledged(replicas: int, least: int) -> None:
    assert min_insync_replicas(replicas) == least
    new = TopicState(AUDIO, "undertone.audio", 0, {})
    assert _wanted(new, Settings(replication=replicas))["min.insync.replicas"] == str(least)


@pytest.mark.parametrize(
    ("replicas", "has", "gets"),
    [
        (3, None, "2"),  # of an older version: the broker's default, which is 1
        (3, "1", "2"),
        (3, "3", "3"),  # an operator's own, which is stricter
        (1, "2", "1"),  # nothing could be acknowledged
        (1, None, "1"),
    ],
)
def test_the_replicas_that_there_are_decide_and_not_the_setting(replicas: int, has: str | None, gets: str) -> None:
    config = {} if has is None else {"min.insync.replicas": has}
    state = TopicState(AUDIO, "undertone.audio", 8, config, replicas)
    assert _wanted(state, Settings(replication=3))["min.insync.replicas"] == gets
