"""The classifier: transcripts in, the same with sentiment out, in order. It needs no memory: ``seq`` tells repeats."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from models.sentiment import make_router
from models.sentiment.abstention import Unjudged
from stream_apps import metrics
from stream_apps.deliveries import Delivery, GivenOut
from stream_apps.presence import Outputs
from stream_apps.reading import read_final
from undertone.errors import FatalError
from undertone.events import Deletion, Mark, Sentiment, Transcript, Utterance
from undertone.identifiers import mark_key
from undertone.settings import Settings
from undertone.topics import TRANSCRIPTS, UTTERANCES, Topic

Judge: TypeAlias = Callable[[Transcript], Sentiment | Unjudged]

HARMLESS = {"en": "good", "ko": "좋아요"}
"""What any engine judges; English stands for the languages in Latin letters."""


def make_classifier(settings: Settings, outputs: Outputs) -> "Classifier":
    """The classifier with the engines that the settings name, warm. Raises ``FatalError`` if one cannot be had."""
    router = make_router(settings.sentiment_model, settings.cache, device=settings.sentiment_device)
    return Classifier(router.judge, outputs)


class Classifier:
    """Judges each final and passes each mark on."""

    name = "classifier"
    inputs: Sequence[Topic] = (TRANSCRIPTS,)

    def __init__(self, judge: Judge, outputs: Outputs) -> None:
        self._judge = judge
        self._mind = ThreadPoolExecutor(1, "sentiment")  # a large model would hold up heartbeats
        self._outputs = outputs

    async def assign(self, partitions: frozenset[int]) -> None:
        """Nothing to read back."""

    async def revoke(self) -> None:
        """Nothing to forget."""

    async def forget(self, partition: int, deletion: Deletion) -> None:
        """Nothing to forget either."""

    async def receive(self, delivery: Delivery) -> None:
        """Write the utterance or mark, then settle. Text that crashes an engine goes on in its place, unjudged."""
        event = read_final(delivery)
        if isinstance(event, Mark):
            await self._outputs.put(UTTERANCES, event.session_id, event, mark_key(event.session_id))
        else:
            await self._classify(event)
        delivery.settle()

    async def _classify(self, transcript: Transcript) -> None:
        """Write the utterance. Raises ``GivenOut`` if its text crashes an engine that is well otherwise."""
        failure: Exception | None = None
        judged: Sentiment | Unjudged | Literal["failed"] = "failed"
        try:
            judged = await self._ask(transcript)
        except Exception as error:  # noqa: BLE001 - an engine may raise anything
            await self._check_engine(transcript, error)
            failure = error
        sentiment = judged if isinstance(judged, Sentiment) else None
        metrics.JUDGEMENTS.labels(judged.label if isinstance(judged, Sentiment) else judged).inc()
        utterance = with_sentiment(transcript, sentiment, datetime.now(UTC))
        await self._outputs.put(UTTERANCES, utterance.session_id, utterance, utterance.utterance_id)
        if failure is not None:
            raise GivenOut(f"the text cannot be judged: {failure!r}") from failure

    async def _check_engine(self, transcript: Transcript, failure: Exception) -> None:
        """Return if the engine judges a harmless text of the same language. Raises ``FatalError``.

        An engine that has broken would leave every text unjudged, and what is given out is final.
        """
        harmless = HARMLESS.get(transcript.language or "", HARMLESS["en"])
        try:
            await self._ask(transcript.model_copy(update={"text": harmless}))
        except Exception as error:
            raise FatalError(
                f"the sentiment engine fails ({failure!r}), with {harmless!r} too: nothing is given out unjudged; "
                "check UNDERTONE_SENTIMENT_MODEL and this machine's memory"
            ) from error

    async def _ask(self, transcript: Transcript) -> Sentiment | Unjudged:
        return await asyncio.get_running_loop().run_in_executor(self._mind, self._judge, transcript)


def with_sentiment(transcript: Transcript, sentiment: Sentiment | None, now: datetime) -> Utterance:
    """The transcript as an utterance."""
    values = transcript.model_dump(exclude={"type"})
    values["sentiment"] = sentiment
    values["timing"] = transcript.timing.model_copy(update={"classified_at": now})
    return Utterance.model_validate(values)
