"""How fast audio is taken: real-time audio always, faster audio only while it is not far ahead of the transcriber.

Kafka is the buffer, but a file read at full speed would fill it with hours that nobody has heard, and push the people
who are talking now to the back.
"""

from undertone.audio import to_ms

REAL_TIME_SLACK_MS = 5_000


def may_take(next_sample: int, through: int, created_ms: int, now_ms: int, max_ahead_ms: int) -> bool:
    """Whether audio that ends at ``next_sample`` is taken now.

    It is when it is under ``max_ahead_ms`` ahead of ``through``, or no more audio than wall time (plus five seconds)
    since the session was made, at ``created_ms``.
    """
    is_near = to_ms(next_sample - through) < max_ahead_ms
    is_real_time = to_ms(next_sample) <= now_ms - created_ms + REAL_TIME_SLACK_MS
    return is_near or is_real_time
