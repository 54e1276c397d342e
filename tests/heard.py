"""What the transcriber would hear in a log, without Whisper, and where it says that it lies; and a log that forgets."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from models.speech.segmenter import SegmentRules, Voice
from stream_apps.conversation import Conversation
from stream_apps.listener import Boundary, Entry, Speech
from stream_apps.minutes import take_mark
from tests.storage_events import utterance
from tests.voices import LoudnessVoice
from undertone.events import AudioSpan, Session, Utterance
from undertone.identifiers import utterance_id
from undertone.kafka import client_options, topic_name
from undertone.settings import Settings
from undertone.topics import AUDIO, place

QUICK = SegmentRules(
    endpoint=4096, pre_roll=1536, hang_over=700, longest=20_480, cut_within=8192, voiced=1024, mark=16_384
)
"""The usual rules with everything shorter, so that a little sound holds many utterances."""


def heard(
    session_id: str,
    entries: Iterable[Entry],
    voice: Callable[[], Voice] = LoudnessVoice,
    rules: SegmentRules = QUICK,
) -> list[Speech]:
    """The utterances of a session's log."""
    session = Session(session_id=session_id, created_at=datetime.fromtimestamp(1_790_000_000, UTC))
    conversation = Conversation(session, voice, rules)
    found = []
    for entry in entries:
        outcome = conversation.hear(entry)
        while isinstance(outcome, Boundary):
            found += [outcome.speech] if outcome.speech else []
            outcome = conversation.settle(take_mark(outcome).session).boundary
    return found


def final_of(speech: Speech, number: int, seq: int, partition: int) -> Utterance:
    """What is stored of it, in the ``number``-th session."""
    made = utterance(number, seq, speech.start)
    return made.model_copy(
        update={
            "utterance_id": utterance_id(made.session_id, speech.start),
            "end_sample": speech.end,
            "end_ms": speech.end // 16,
            "through": speech.end,
            "audio": AudioSpan(
                partition=partition,
                first_offset=speech.first_offset,
                last_offset=speech.last_offset,
                opened_offset=speech.opened_offset,
            ),
        }
    )


async def forget_audio(settings: Settings, session_id: str, before: int) -> None:
    """What retention does, now: the session's partition of the log begins at this offset; -1 is its end."""
    at = TopicPartition(topic_name(settings, AUDIO), place(session_id, settings.partitions))
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    await admin.delete_records({at: RecordsToDelete(before)})
    await admin.close()
