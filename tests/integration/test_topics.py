"""The topics in Kafka: created, checked, brought up to date; and a Kafka that does not let us."""

import asyncio
import time

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from pydantic import SecretStr

from tests.waiting import until
from undertone.bootstrap import apply_topics, check_durability, check_kafka, show_topics
from undertone.errors import FatalError
from undertone.kafka import client_options, topic_name
from undertone.local.ports import LOOPBACK, free_ports
from undertone.settings import Settings
from undertone.topics import AUDIO, HOUR_MS, SESSIONS, TOPICS

BOUND_S = 12.0


async def test_missing_topics_are_created_as_the_table_says(settings: Settings) -> None:
    created = await apply_topics(settings)
    assert sorted(created) == sorted(topic_name(settings, topic) for topic in TOPICS)
    for state in await show_topics(settings):
        assert state.partitions == settings.partitions
        assert state.config == {**state.topic.config(), "min.insync.replicas": "1"}
        assert state.replicas == 1


async def test_a_second_time_changes_nothing_and_several_at_once_do_no_harm(settings: Settings) -> None:
    created = await asyncio.gather(*(apply_topics(settings) for _ in range(3)))
    assert len(created) == 3
    assert await apply_topics(settings) == []


async def test_a_changed_retention_is_applied_and_an_operators_own_setting_is_kept(topics: Settings) -> None:
    name = topic_name(topics, AUDIO)
    admin = AIOKafkaAdminClient(**client_options(topics))
    await admin.start()
    own = {**AUDIO.config(), "max.message.bytes": "900000"}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, own)])
    await admin.close()

    async def is_known() -> bool:
        return any(state.config == own for state in await show_topics(topics))

    await until(is_known, 10, "the operator's own setting")
    longer = topics.model_copy(update={"audio_retention_hours": 168})
    assert await apply_topics(longer) == [name]
    (audio,) = [state for state in await show_topics(longer) if state.topic is AUDIO]
    assert audio.config["retention.ms"] == str(168 * HOUR_MS)
    assert audio.config["max.message.bytes"] == "900000"


async def test_topics_of_an_older_version_get_their_in_sync_replicas(topics: Settings) -> None:
    assert "1 of 1 replicas" in await check_durability(topics)
    name = topic_name(topics, AUDIO)
    admin = AIOKafkaAdminClient(**client_options(topics))
    await admin.start()
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, AUDIO.config())])
    await admin.close()

    async def is_known() -> bool:
        return any(state.config == AUDIO.config() for state in await show_topics(topics))

    await until(is_known, 10, "the settings of an older version")
    with pytest.raises(FatalError, match=r"min\.insync\.replicas=as the broker has it.*topics apply"):
        await check_durability(topics)
    assert await apply_topics(topics) == [name]
    assert "1 of 1 replicas" in await check_durability(topics)
    with pytest.raises(FatalError, match=r"has 1 replicas, and UNDERTONE_REPLICATION is 3"):
        await check_durability(topics.model_copy(update={"replication": 3}))


async def test_another_number_of_partitions_is_refused_with_both_numbers(topics: Settings) -> None:
    other = topics.model_copy(update={"partitions": 5})
    with pytest.raises(FatalError, match=r"has 2 partitions, but UNDERTONE_PARTITIONS is 5.*UNDERTONE_PARTITIONS=2"):
        await apply_topics(other)


async def test_missing_topics_are_shown_as_missing(settings: Settings) -> None:
    (sessions,) = [state for state in await show_topics(settings) if state.topic is SESSIONS]
    assert sessions.partitions == 0


async def test_a_kafka_that_is_not_there_is_named_in_time(settings: Settings) -> None:
    (port,) = free_ports(1)
    begun = time.monotonic()
    with pytest.raises(FatalError, match=rf"{LOOPBACK}:{port}.*UNDERTONE_KAFKA"):
        await apply_topics(settings.model_copy(update={"kafka": f"{LOOPBACK}:{port}"}))
    assert time.monotonic() - begun < BOUND_S


async def test_a_kafka_that_never_answers_is_named_in_time(settings: Settings) -> None:
    hung = asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await hung.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    begun = time.monotonic()
    with pytest.raises(FatalError, match="cannot be reached"):
        await check_kafka(settings.model_copy(update={"kafka": f"{LOOPBACK}:{port}"}))
    assert time.monotonic() - begun < BOUND_S
    hung.set()
    server.close()
    await server.wait_closed()


async def test_the_wrong_security_protocol_is_named_in_time(settings: Settings) -> None:
    begun = time.monotonic()
    with pytest.raises(FatalError, match="UNDERTONE_KAFKA_SECURITY=SSL"):
        await check_kafka(settings.model_copy(update={"kafka_security": "SSL"}))
    assert time.monotonic() - begun < BOUND_S


async def test_a_refused_password_names_the_settings_to_check(topics: Settings) -> None:
    begun = time.monotonic()
    with pytest.raises(FatalError, match=r"refuses the user 'undertone'.*UNDERTONE_KAFKA_PASSWORD"):
        await apply_topics(topics.model_copy(update={"kafka_password": SecretStr("wrong")}))
    assert time.monotonic() - begun < BOUND_S
