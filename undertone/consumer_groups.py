"""Consumer groups of the workers: their names, and how far they have committed."""

from collections.abc import Iterable, Mapping

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CoordinatorLoadInProgressError, CoordinatorNotAvailableError, KafkaError

from undertone.errors import TransientError
from undertone.kafka import client_options, topic_name
from undertone.retry import retry
from undertone.settings import Settings
from undertone.topics import AUDIO, Topic

TRANSCRIBER = "transcriber"
# A broker on which no group was ever used makes its topic of offsets first.
COORDINATOR_ATTEMPTS = 10


def group_name(settings: Settings, app: str) -> str:
    """The consumer group of an app, as in ``undertone.transcriber``."""
    return f"{settings.topic_prefix}.{app}"


async def wait_for_coordinators(settings: Settings, apps: Iterable[str]) -> None:
    """Return once the groups of these apps can be joined. Raises ``TransientError`` if Kafka does not get there soon.

    A worker that joins earlier gets there as well, but aiokafka logs an error for each attempt.
    """
    for app in apps:
        await committed_offsets(settings, app, AUDIO)


async def committed_offsets(settings: Settings, app: str, topic: Topic) -> Mapping[int, int]:
    """The offset that an app has committed, by partition of ``topic``; partitions without one are left out.

    Raises ``TransientError`` while Kafka does not answer.
    """
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        return await retry(lambda: _committed(admin, settings, app, topic), attempts=COORDINATOR_ATTEMPTS)
    except (KafkaError, OSError) as error:
        raise TransientError(f"Kafka does not tell how far {app} has read: {error!r}") from error
    finally:
        await admin.close()


async def _committed(admin: AIOKafkaAdminClient, settings: Settings, app: str, topic: Topic) -> Mapping[int, int]:
    try:
        found = await admin.list_consumer_group_offsets(group_name(settings, app))
    except (CoordinatorNotAvailableError, CoordinatorLoadInProgressError) as error:
        raise TransientError(f"the group of {app} has no coordinator yet: {error!r}") from error
    name = topic_name(settings, topic)
    return {place.partition: at.offset for place, at in found.items() if place.topic == name and at.offset >= 0}
