"""The classifier: transcripts in, the same with sentiment out, in order. It needs no memory: ``seq`` tells repeats."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from models.sentiment import make_router
from stream_apps.dead_letters import DeadLetters
from stream_apps.deliveries import Delivery
from stream_apps.presence import Outputs
from undertone.codec import decode
from undertone.errors import PoisonError
from undertone.events import Mark, Sentiment, Transcript, Utterance
from undertone.settings import Settings
from undertone.topics import TRANSCRIPTS, UTTERANCES, Topic

Judge: TypeAlias = Callable[[str, str | None, float | None], Sentiment | None]


def make_classifier(settings: Settings, outputs: Outputs, dead_letters: DeadLetters) -> "Classifier":
    """The classifier with the engines that the settings name, warm. Raises ``FatalError`` if one cannot be had."""
    return Classifier(make_router(settings.sentiment_model, settings.cache).judge, outputs, dead_letters)


class Classifier:
    """Judges each final and passes each mark on."""

    name = "classifier"
    inputs: Sequence[Topic] = (TRANSCRIPTS,)

    def __init__(self, judge: Judge, outputs: Outputs, dead_letters: DeadLetters) -> None:
        self._judge = judge
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
        now = datetime.now(UTC)
        try:
            return classify(transcript, self._judge, now)
        except Exception as error:  # noqa: BLE001 - an engine may raise anything
            await self._dead_letters.put(delivery, error)
            return _with_sentiment(transcript, None, now)


def read_final(delivery: Delivery) -> Transcript | Mark:
    """The final or mark that a delivery holds. Raises ``PoisonError`` for anything else."""
    event = decode(delivery.value, delivery.headers)
    if not isinstance(event, Transcript | Mark):
        raise PoisonError(f"{delivery.topic.name} holds a {event.type}, which is no final and no mark")
    return event


def classify(transcript: Transcript, judge: Judge, now: datetime) -> Utterance:
    """The transcript as an utterance; what is suppressed is not judged."""
    if transcript.quality.suppressed is not None:
        return _with_sentiment(transcript, None, now)
    sentiment = judge(transcript.text, transcript.language, transcript.language_probability)
    return _with_sentiment(transcript, sentiment, now)


def _with_sentiment(transcript: Transcript, sentiment: Sentiment | None, now: datetime) -> Utterance:
    values = transcript.model_dump(exclude={"type"})
    values["sentiment"] = sentiment
    values["timing"] = transcript.timing.model_copy(update={"classified_at": now})
    return Utterance.model_validate(values)
