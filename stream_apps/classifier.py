"""The classifier: transcripts in, the same with sentiment out, in order. It needs no memory: ``seq`` tells repeats."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from models.sentiment import make_router
from models.sentiment.abstention import Unjudged
from stream_apps import metrics
from stream_apps.dead_letters import DeadLetters
from stream_apps.deliveries import Delivery
from stream_apps.presence import Outputs
from undertone.codec import decode
from undertone.errors import PoisonError
from undertone.events import Mark, Sentiment, Transcript, Utterance
from undertone.settings import Settings
from undertone.topics import TRANSCRIPTS, UTTERANCES, Topic

Judge: TypeAlias = Callable[[Transcript], Sentiment | Unjudged]


def make_classifier(settings: Settings, outputs: Outputs, dead_letters: DeadLetters) -> "Classifier":
    """The classifier with the engines that the settings name, warm. Raises ``FatalError`` if one cannot be had."""
    router = make_router(settings.sentiment_model, settings.cache, device=settings.sentiment_device)
    return Classifier(router.judge, outputs, dead_letters)


class Classifier:
    """Judges each final and passes each mark on."""

    name = "classifier"
    inputs: Sequence[Topic] = (TRANSCRIPTS,)

    def __init__(self, judge: Judge, outputs: Outputs, dead_letters: DeadLetters) -> None:
        self._judge = judge
        self._mind = ThreadPoolExecutor(1, "sentiment")  # a large model would hold up heartbeats
        self._outputs = outputs
        self._dead_letters = dead_letters

    async def assign(self, partitions: frozenset[int]) -> None:
        """Nothing to read back."""

    async def revoke(self) -> None:
        """Nothing to forget."""

    async def receive(self, delivery: Delivery) -> None:
        """Write the utterance or mark, then settle; a record that is neither becomes a dead letter."""
        try:
            event = read_final(delivery)
        except PoisonError as error:
            await self._dead_letters.put(delivery, error)
            delivery.settle()
            return
        if isinstance(event, Mark):
            await self._outputs.put(UTTERANCES, event.session_id, event, f"{event.session_id}-mark")
        else:
            utterance = await self._classify(delivery, event)
            await self._outputs.put(UTTERANCES, event.session_id, utterance, event.utterance_id)
        delivery.settle()

    async def _classify(self, delivery: Delivery, transcript: Transcript) -> Utterance:
        """The utterance. Text that crashes an engine is a dead letter too, and goes on in its place unjudged."""
        judged: Sentiment | Unjudged | Literal["failed"]
        try:
            judged = await asyncio.get_running_loop().run_in_executor(self._mind, self._judge, transcript)
        except Exception as error:  # noqa: BLE001 - an engine may raise anything
            await self._dead_letters.put(delivery, error)
            judged = "failed"
        sentiment = judged if isinstance(judged, Sentiment) else None
        metrics.JUDGEMENTS.labels(judged.label if isinstance(judged, Sentiment) else judged).inc()
        return with_sentiment(transcript, sentiment, datetime.now(UTC))


def read_final(delivery: Delivery) -> Transcript | Mark:
    """The final or mark that a delivery holds. Raises ``PoisonError`` for anything else."""
    event = decode(delivery.value, delivery.headers)
    if not isinstance(event, Transcript | Mark):
        raise PoisonError(f"{delivery.topic.name} holds a {event.type}, which is no final and no mark")
    return event


def with_sentiment(transcript: Transcript, sentiment: Sentiment | None, now: datetime) -> Utterance:
    """The transcript as an utterance."""
    values = transcript.model_dump(exclude={"type"})
    values["sentiment"] = sentiment
    values["timing"] = transcript.timing.model_copy(update={"classified_at": now})
    return Utterance.model_validate(values)
