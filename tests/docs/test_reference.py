"""docs/settings.md and docs/topics.md say what the code says."""

import dataclasses
import re
from typing import get_args

import pytest
from pydantic import BaseModel

from tests.docs.tables import document, rows, settings_rows
from undertone import events, records
from undertone.topics import DAY_MS, HOUR_MS, TOPICS, Topic


def test_every_setting_is_documented_with_its_default_and_meaning() -> None:
    documented = [row for row in rows(document("docs/settings.md")) if row[0].startswith("`UNDERTONE_")]
    assert documented == settings_rows(), "renew the table with `python -m tests.docs.tables`"


def test_settings_named_in_the_documents_exist() -> None:
    known = {row[0].strip("`") for row in settings_rows()} | {
        "UNDERTONE_BIND",
        "UNDERTONE_DATABASE_PASSWORD",
        "UNDERTONE_DOMAIN",
        "UNDERTONE_TRANSCRIBER_MEMORY",
    }
    for name in (
        "README.md",
        "docs/operating.md",
        "docs/guarantees.md",
        "docs/topics.md",
        "docs/http.md",
        "docker-compose.yml",
    ):
        named = set(re.findall(r"UNDERTONE_[A-Z]+(?:_[A-Z]+)*(?![_A-Z…])", document(name)))
        assert named - known == set(), f"{name} names settings that do not exist"


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_every_topic_is_documented_with_its_key_and_clean_up(topic: Topic) -> None:
    (row,) = [row for row in rows(document("docs/topics.md")) if row[0] == f"`{topic.name}`" and len(row) == 5]
    assert row[1] == topic.key
    assert row[4].startswith(_clean_up(topic))
    assert ("memory" in row[4]) == topic.memory
    assert ("rolls" in row[4]) == topic.rolls


def test_no_topic_is_documented_that_does_not_exist() -> None:
    documented = {row[0].strip("`") for row in rows(document("docs/topics.md")) if len(row) == 5} - {"topic"}
    assert documented == {topic.name for topic in TOPICS}


def _event_types() -> list[type[BaseModel]]:
    return list(get_args(events.Event))


@pytest.mark.parametrize("event", _event_types(), ids=lambda event: str(event.__name__))
def test_every_field_of_every_event_is_documented(event: type[BaseModel]) -> None:
    kind = event.model_fields["type"].default
    sections = document("docs/topics.md").split("\n### ")
    (section,) = [text for text in sections if text.startswith(f"`{kind}` ")]
    if event is events.Utterance:  # "all of transcript, and ..."
        section += next(text for text in sections if text.startswith("`transcript` "))
    missing = {name for name in event.model_fields if f"`{name}`" not in section} - {"type"}
    assert missing == set()


@pytest.mark.parametrize("record", get_args(records.AudioRecord), ids=lambda record: str(record.__name__))
def test_every_kind_of_audio_record_is_documented(record: type) -> None:
    (row,) = [
        row for row in rows(document("docs/topics.md")) if row[0] == f"`{record.__name__.lower()}`" and len(row) == 3
    ]
    if record is not records.Audio:
        assert set(re.findall(r"`([a-z_]+)`", row[1])) == {field.name for field in dataclasses.fields(record)}


def _clean_up(topic: Topic) -> str:
    config = topic.config()
    words = config["cleanup.policy"].replace(",", " + ")
    if "retention.ms" in config:
        kept_ms = int(config["retention.ms"])
        kept = f"{kept_ms // HOUR_MS} h" if kept_ms <= DAY_MS else f"{kept_ms // DAY_MS} d"
        words += f", {kept}"
    return words
