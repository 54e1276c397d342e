"""What a delivery holds: read, of the kind that the app takes, and where its session belongs. Else it is poison."""

from typing import Protocol, TypeVar

from stream_apps.deliveries import Delivery
from undertone.codec import decode, decode_audio
from undertone.errors import PoisonError
from undertone.events import Event, Mark, Session, Transcript, Utterance, Window
from undertone.records import AudioRecord
from undertone.topics import place


class Placed(Protocol):
    """Whatever belongs to a session."""

    @property
    def session_id(self) -> str: ...


P = TypeVar("P", bound=Placed)


def read_final(delivery: Delivery) -> Transcript | Mark:
    """The final or mark that the transcriber gave out. Raises ``PoisonError``."""
    event = decode(delivery.value, delivery.headers)
    if isinstance(event, Utterance) or not isinstance(event, Transcript | Mark):
        raise _stray(delivery, event)
    return _in_place(delivery, event)


def read_judged(delivery: Delivery) -> Utterance | Mark | None:
    """The utterance or mark that the classifier gave out; None for a tombstone. Raises ``PoisonError``."""
    if delivery.value is None:
        return None
    event = decode(delivery.value, delivery.headers)
    if not isinstance(event, Utterance | Mark):
        raise _stray(delivery, event)
    return _in_place(delivery, event)


def read_history(delivery: Delivery) -> Session | Utterance | Mark | Window | None:
    """What is to be kept; None for a tombstone. Raises ``PoisonError``."""
    if delivery.value is None:
        return None
    event = decode(delivery.value, delivery.headers)
    if not isinstance(event, Session | Utterance | Mark | Window):
        raise _stray(delivery, event)
    return _in_place(delivery, event)


def read_audio(delivery: Delivery) -> AudioRecord:
    """The record of a session's log. Raises ``PoisonError``."""
    return _in_place(delivery, decode_audio(delivery.key, delivery.value, delivery.headers))


def _stray(delivery: Delivery, event: Event) -> PoisonError:
    return PoisonError(f"a {event.type} event has strayed into {delivery.topic.name}")


def _in_place(delivery: Delivery, record: P) -> P:
    """The record, if its session's records lie here: elsewhere they have no order, and their reader no memory."""
    belongs = place(record.session_id, delivery.partitions)
    if belongs != delivery.partition:
        raise PoisonError(
            f"records of session {record.session_id} lie in partition {belongs} of {delivery.partitions}, and this one "
            f"in {delivery.partition}: its producer does not place records by session id"
        )
    return record
