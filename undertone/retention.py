"""How long the topics keep what they are told under these settings, and when the last of it is gone."""

from datetime import datetime, timedelta

from undertone.settings import Settings
from undertone.topics import AUDIO, DAY_MS, DELETIONS, HOUR_MS, TOPICS, WORKERS, Topic

# Brokers look for old segments every five minutes and remove their files a minute later.
CLEAN_UP_MS = HOUR_MS
# These hold session ids and times, and nothing that was said.
WITHOUT_CONTENT = frozenset({DELETIONS, WORKERS})


def retention_ms(topic: Topic, settings: Settings) -> int | None:
    """How long the topic keeps a record; None is for ever. Text is kept no longer in the log than in the history."""
    if topic is AUDIO:
        return settings.audio_retention_hours * HOUR_MS
    if topic.retention_ms is None or topic in WITHOUT_CONTENT or settings.text_retention_days is None:
        return topic.retention_ms
    return min(topic.retention_ms, settings.text_retention_days * DAY_MS)


def gone_from_logs_by(settings: Settings, written_by: datetime) -> datetime:
    """When no topic holds any content that was written before ``written_by``.

    A record is kept for the retention of its topic and until its segment is closed, and then until a broker looks.
    """
    longest_ms = 0
    for topic in TOPICS:
        keep_ms = retention_ms(topic, settings)
        if topic not in WITHOUT_CONTENT and keep_ms is not None:
            longest_ms = max(longest_ms, keep_ms + topic.segment_ms(keep_ms))
    return written_by + timedelta(milliseconds=longest_ms + CLEAN_UP_MS)


SWEEP_MS = 7 * DAY_MS
"""What one sweep may remove: sessions made within so long after the oldest stored one."""


def bounded_sweep_ms(oldest_kept_ms: int, oldest_stored_ms: int) -> int:
    """Up to where one sweep removes sessions, of those made before ``oldest_kept_ms``.

    A clock that jumps forward by a year makes all history look old. Removed step by step, most of it is still there
    when somebody sees the log; a history that really is that old is gone a few sweeps later.
    """
    return min(oldest_kept_ms, oldest_stored_ms + SWEEP_MS)


def oldest_kept_ms(settings: Settings, now: datetime) -> int | None:
    """Sessions that were made before this (Unix milliseconds) are past the retention of text; None keeps all."""
    if settings.text_retention_days is None:
        return None
    return round(now.timestamp() * 1000) - settings.text_retention_days * DAY_MS
