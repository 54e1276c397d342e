"""How long what was said is kept: the arithmetic."""

from datetime import UTC, datetime, timedelta

import pytest

from undertone.errors import FatalError
from undertone.retention import CLEAN_UP_MS, bounded_sweep_ms, gone_from_logs_by, oldest_kept_ms, retention_ms
from undertone.settings import Settings, read_settings
from undertone.topics import AUDIO, DAY_MS, DEAD_LETTERS, DELETIONS, HOUR_MS, PARTIALS, TOPICS, TRANSCRIPTS, WORKERS

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_text_is_kept_no_longer_in_the_log_than_in_the_history() -> None:
    short, long = Settings(text_retention_days=1), Settings(text_retention_days=400)
    kept = {topic.name: retention_ms(topic, short) for topic in TOPICS}
    assert kept == {
        **dict.fromkeys(("sessions", "transcripts", "utterances", "windows", "statistics", "dead-letters"), DAY_MS),
        "audio": 24 * HOUR_MS,
        "partials": HOUR_MS,
        "workers": DAY_MS,
        "deletions": None,
    }
    for settings in (long, Settings()):
        assert {topic: retention_ms(topic, settings) for topic in TOPICS} == {
            topic: topic.retention_ms for topic in TOPICS
        }


def test_gone_is_after_the_longest_retention_and_the_close_of_its_segment() -> None:
    """Each topic's record is gone by then: a segment is closed once it spans ``segment.ms``, and then grows old."""
    for settings in (
        Settings(),
        Settings(audio_retention_hours=2000),
        Settings(text_retention_days=1),
        Settings(text_retention_days=3, audio_retention_hours=24),
    ):
        gone_by = gone_from_logs_by(settings, NOW)
        latest = NOW
        for topic in TOPICS:
            keep_ms = retention_ms(topic, settings)
            if topic in {DELETIONS, WORKERS} or keep_ms is None:
                continue
            config = topic.config(keep_ms)
            assert int(config["retention.ms"]) == keep_ms
            latest = max(latest, NOW + timedelta(milliseconds=keep_ms + int(config["segment.ms"])))
        assert gone_by - latest == timedelta(milliseconds=CLEAN_UP_MS)


def test_the_figures_of_the_document() -> None:
    assert gone_from_logs_by(Settings(), NOW) == NOW + timedelta(days=33, hours=19)
    week = Settings(text_retention_days=7)
    assert gone_from_logs_by(week, NOW) == NOW + timedelta(days=7, hours=22)
    assert AUDIO.config()["segment.ms"] == str(3 * HOUR_MS)
    assert TRANSCRIPTS.config()["segment.ms"] == str(21 * HOUR_MS)
    assert PARTIALS.config()["segment.ms"] == str(HOUR_MS // 8)
    assert DEAD_LETTERS.config()["segment.ms"] == str(90 * HOUR_MS)


def test_the_age_of_text_counts_from_the_making_of_its_session() -> None:
    assert oldest_kept_ms(Settings(), NOW) is None
    kept_ms = oldest_kept_ms(Settings(text_retention_days=2), NOW)
    assert kept_ms == round((NOW - timedelta(days=2)).timestamp() * 1000)


def test_one_sweep_removes_what_was_made_within_a_week() -> None:
    assert bounded_sweep_ms(30 * DAY_MS, 28 * DAY_MS) == 30 * DAY_MS
    assert bounded_sweep_ms(395 * DAY_MS, 28 * DAY_MS) == 35 * DAY_MS


def test_no_session_outlives_its_text() -> None:
    with pytest.raises(FatalError, match=r"UNDERTONE_TEXT_RETENTION_DAYS.*48 hours of UNDERTONE_TOKEN_HOURS"):
        read_settings(token_hours=48, text_retention_days=1)
    assert read_settings(token_hours=48, text_retention_days=2).text_retention_days == 2
