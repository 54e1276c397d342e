"""A worker that was away for longer than its session time-out stops before it writes."""

import pytest

from stream_apps.presence import Presence
from undertone.errors import FatalError


def test_checks_close_together_are_fine_and_one_too_late_is_fatal() -> None:
    now_s = 100.0
    presence = Presence(10.0, clock=lambda: now_s)
    now_s += 60  # models are loading
    presence.begin()
    for _ in range(5):
        now_s += 9.9
        presence.check()
    now_s += 10.1
    with pytest.raises(FatalError, match=r"away for 10\.1 s"):
        presence.check()
