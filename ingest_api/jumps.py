"""The one rule for moving a session forward without audio, whichever way a recorder does it. Pure; time is passed in.

A declared gap, a start or an HTTP chunk beyond the expected sample, and a stop there are all jumps. A jump reaches at
most to now: to the wall time since the session was made, plus some slack. Measured from the session and not from the
last audio, the rule also holds for a recorder that delivers a late backlog with a pause in it.
"""

from ingest_api.limits import Limits
from undertone.audio import SAMPLES_PER_MS
from undertone.errors import Refusal


def latest_sample(created_ms: int, now_ms: int, limits: Limits) -> int:
    """The latest sample that a jump may reach; times are Unix milliseconds."""
    return (max(0, now_ms - created_ms) + limits.max_gap_slack_ms) * SAMPLES_PER_MS


def check_jump(expected: int, to: int, latest: int) -> None:
    """Raise ``Refusal`` if going on at ``to`` is a jump into the future; ``expected`` is the next sample of the log."""
    if to > max(expected, latest):
        raise Refusal(
            "gap_too_long", f"the gap ends at sample {to}, in the future: {latest} is the latest now", status=400
        )
