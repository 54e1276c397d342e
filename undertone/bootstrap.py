"""The topics as Kafka should have them: created, checked, brought up to date. Safe to run at any time, by many."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAlreadyExistsError,
    UnsupportedSaslMechanismError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest

from undertone.errors import FatalError
from undertone.kafka import client_options, topic_name
from undertone.retention import retention_ms
from undertone.settings import Settings
from undertone.topics import TOPICS, Topic, min_insync_replicas

TIMEOUT_S = 10.0
_POLL_S = 0.05
_INSYNC = "min.insync.replicas"
_SET_ON_TOPIC = 1  # config_source of DescribeConfigs: the topic's own, not a default
_REFUSALS = (
    AuthenticationFailedError,
    AuthenticationMethodNotSupported,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)


@dataclass(frozen=True)
class TopicState:
    """A topic as Kafka has it. ``partitions`` is 0 if it does not exist; ``config`` is what is set on it itself.

    ``replicas`` are those of the partition that has the fewest.
    """

    topic: Topic
    name: str
    partitions: int
    config: Mapping[str, str]
    replicas: int = 0


async def apply_topics(settings: Settings) -> list[str]:
    """Create the missing topics and bring the settings of all up to date; the names of those created or changed.

    On return every partition has a leader and every setting is in force. Raises ``FatalError``, within about 10 s, if
    Kafka cannot be reached or refuses, or if a topic has another number of partitions than ``settings.partitions``.
    """
    async with _open_admin(settings) as admin:
        states = await _states(admin, settings)
        for state in states:
            if state.partitions not in {0, settings.partitions}:
                raise FatalError(
                    f"the topic {state.name} has {state.partitions} partitions, but UNDERTONE_PARTITIONS is "
                    f"{settings.partitions}: they are fixed once topics exist; set UNDERTONE_PARTITIONS="
                    f"{state.partitions}, or use another UNDERTONE_TOPIC_PREFIX"
                )
        missing = [state for state in states if state.partitions == 0]
        changed = [state for state in states if state.partitions and _wanted(state, settings) != state.config]
        await _create(admin, settings, missing)
        await _change(admin, settings, changed)
        await _until_applied(admin, settings)
    return [state.name for state in (*missing, *changed)]


async def show_topics(settings: Settings) -> list[TopicState]:
    """Every topic of ours as Kafka has it now. Raises ``FatalError`` as ``apply_topics`` does."""
    async with _open_admin(settings) as admin:
        return await _states(admin, settings)


async def check_durability(settings: Settings) -> str:
    """How many replicas have what is acknowledged, in words.

    Raises ``FatalError`` as ``show_topics`` does, and for a topic with fewer replicas than ``settings.replication``, or
    whose ``min.insync.replicas`` lets Kafka acknowledge what too few of them have.
    """
    states = [state for state in await show_topics(settings) if state.partitions]
    for state in states:
        if state.replicas < settings.replication:
            raise FatalError(
                f"the topic {state.name} has {state.replicas} replicas, and UNDERTONE_REPLICATION is "
                f"{settings.replication}: move its partitions with Kafka's own tools, then run `undertone topics apply`"
            )
        if not _is_insync_enough(state):
            raise FatalError(
                f"the topic {state.name} has min.insync.replicas={state.config.get(_INSYNC, 'as the broker has it')}, "
                f"and needs {min_insync_replicas(state.replicas)} of its {state.replicas} replicas: run `undertone "
                "topics apply`"
            )
    if not states:
        return "no topics yet"
    fewest = min(states, key=lambda state: state.replicas)
    return f"what is acknowledged lies on {fewest.config[_INSYNC]} of {fewest.replicas} replicas at least"


async def check_kafka(settings: Settings) -> None:
    """Return if a broker can be reached and lets us in, else raise ``FatalError`` with the cause, within 10 s."""
    options = {name: value for name, value in client_options(settings).items() if name != "bootstrap_servers"}
    hosts = collect_hosts(settings.brokers())
    causes = []
    for host, port, _ in hosts:
        try:
            async with asyncio.timeout(TIMEOUT_S / len(hosts)):
                connection = await create_conn(host, port, **options)
                try:
                    # A client without a login is cut off at its first request, if the broker expects one.
                    await connection.send(MetadataRequest([]))
                finally:
                    connection.close()
                return
        except _REFUSALS as error:
            raise FatalError(
                f"Kafka at {host}:{port} refuses the user {settings.kafka_user!r}: {error}; check "
                "UNDERTONE_KAFKA_USER, UNDERTONE_KAFKA_PASSWORD and UNDERTONE_KAFKA_MECHANISM"
            ) from error
        except (OSError, KafkaError, TimeoutError) as error:
            causes.append(f"{host}:{port}: {str(error) or type(error).__name__}")
    raise FatalError(
        f"Kafka cannot be reached ({'; '.join(causes)}): check UNDERTONE_KAFKA and that it listens there with "
        f"UNDERTONE_KAFKA_SECURITY={settings.kafka_security}, or unset UNDERTONE_KAFKA to run one embedded"
    )


@asynccontextmanager
async def _open_admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    await check_kafka(settings)
    admin = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=int(TIMEOUT_S * 1000))
    try:
        async with asyncio.timeout(2 * TIMEOUT_S):
            await admin.start()
            yield admin
    except (KafkaError, TimeoutError) as error:
        raise FatalError(f"Kafka at {settings.brokers()} does not do what it is asked: {error!r}") from error
    finally:
        await admin.close()


async def _states(admin: AIOKafkaAdminClient, settings: Settings) -> list[TopicState]:
    names = {topic_name(settings, topic): topic for topic in TOPICS}
    described = await admin.describe_topics(list(names))
    partitions = {each["topic"]: len(each["partitions"]) for each in described if each["error_code"] == 0}
    replicas = {
        each["topic"]: min((len(partition["replicas"]) for partition in each["partitions"]), default=0)
        for each in described
        if each["error_code"] == 0
    }
    configs = await _configs(admin, list(partitions))
    return [
        TopicState(topic, name, partitions.get(name, 0), configs.get(name, {}), replicas.get(name, 0))
        for name, topic in names.items()
    ]


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    configs = {}
    for answer in await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names]):
        for resource in answer.to_object()["resources"]:
            _check(resource["error_code"])
            configs[resource["resource_name"]] = {
                entry["config_names"]: entry["config_value"]
                for entry in resource["config_entries"]
                if entry["config_source"] == _SET_ON_TOPIC
            }
    return configs


def _wanted(state: TopicState, settings: Settings) -> dict[str, str]:
    """Ours over what an operator has set besides; a ``min.insync.replicas`` that is stricter than ours stays."""
    wanted = {**state.config, **state.topic.config(retention_ms(state.topic, settings))}
    if not _is_insync_enough(state):
        # Of the replicas that there are: more than those could never acknowledge anything.
        wanted[_INSYNC] = str(min_insync_replicas(state.replicas or settings.replication))
    return wanted


def _is_insync_enough(state: TopicState) -> bool:
    least = min_insync_replicas(state.replicas)
    return bool(state.partitions) and least <= int(state.config.get(_INSYNC, 0)) <= state.replicas


async def _create(admin: AIOKafkaAdminClient, settings: Settings, missing: list[TopicState]) -> None:
    if not missing:
        return
    answer = await admin.create_topics(
        [
            NewTopic(state.name, settings.partitions, settings.replication, topic_configs=_wanted(state, settings))
            for state in missing
        ]
    )
    for _, code, message in answer.topic_errors:
        _check(code, message, but_not=TopicAlreadyExistsError)  # somebody else was faster


async def _change(admin: AIOKafkaAdminClient, settings: Settings, changed: list[TopicState]) -> None:
    if not changed:
        return
    for answer in await admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, state.name, _wanted(state, settings)) for state in changed]
    ):
        for resource in answer.to_object()["resources"]:
            _check(resource["error_code"], resource["error_message"])


async def _until_applied(admin: AIOKafkaAdminClient, settings: Settings) -> None:
    """Brokers learn of a change a little after the controller has made it."""
    names = [topic_name(settings, topic) for topic in TOPICS]
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        described = await admin.describe_topics(names)
        leaders = [each["leader"] for topic in described for each in topic["partitions"]]
        is_led = len(leaders) == len(names) * settings.partitions and all(leader >= 0 for leader in leaders)
        if is_led and all(_wanted(state, settings) == state.config for state in await _states(admin, settings)):
            return
        if time.monotonic() > deadline:
            raise FatalError(
                f"Kafka at {settings.brokers()} does not get the topics of {settings.topic_prefix} ready: see its log"
            )
        await asyncio.sleep(_POLL_S)


def _check(code: int, message: str | None = None, but_not: type[KafkaError] | None = None) -> None:
    if code == 0 or (but_not is not None and for_code(code) is but_not):
        return
    raise FatalError(f"Kafka refuses to set up the topics: {for_code(code).__name__} {message or ''}".rstrip())
