"""The adapter, the classifier and the statistician on real Kafka: order, commits, memory, repeats, poison."""

import asyncio
from collections.abc import Sequence

import pytest

from models.sentiment import make_router
from models.sentiment.abstention import Unjudged
from stream_apps.classifier import Classifier
from stream_apps.dead_letters import DeadLetters
from stream_apps.deliveries import Delivery
from stream_apps.presence import Outputs, Presence
from stream_apps.statistician import Statistician
from tests.examples import SESSION_ID, mark, transcript, utterance
from tests.streams import committed, read_events, read_records, running_app
from tests.waiting import until
from undertone.errors import FatalError
from undertone.events import Event, Mark, Sentiment, Statistics, Transcript, Utterance, Window
from undertone.kafka import open_publisher
from undertone.settings import Settings
from undertone.topics import DEAD_LETTERS, STATISTICS, TRANSCRIPTS, UTTERANCES, WINDOWS, Topic, place


def make_classifier(settings: Settings, outputs: Outputs, dead_letters: DeadLetters) -> Classifier:
    return Classifier(make_router("vader", settings.cache).judge, outputs)


async def publish(settings: Settings, topic: Topic, events: Sequence[Event]) -> None:
    async with open_publisher(settings) as publisher:
        for event in events:
            await publisher.publish(topic, event.session_id, event)  # type: ignore[union-attr]


async def test_finals_and_marks_come_out_in_order_with_sentiment(topics: Settings) -> None:
    finals: list[Event] = [
        transcript(1, 0, 900),
        mark(2, 12_000),
        transcript(3, 13_000, 14_000, "I hate it"),
        mark(4, 15_000, "stop"),
    ]
    await publish(topics, TRANSCRIPTS, finals)

    async with running_app(make_classifier, topics):
        await until(lambda: _count(topics, UTTERANCES, 4), 20)

    events = await read_events(topics, UTTERANCES)
    assert [event.seq for event in events if isinstance(event, Mark | Utterance)] == [1, 2, 3, 4]
    labels = [event.sentiment and event.sentiment.label for event in events if isinstance(event, Utterance)]
    assert labels == ["positive", "negative"]
    partition = place(SESSION_ID, topics.partitions)
    assert await committed(topics, "classifier", TRANSCRIPTS, partition) == 4


async def test_bytes_that_are_no_record_become_dead_letters_and_the_partition_goes_on(topics: Settings) -> None:
    async with open_publisher(topics) as publisher:
        headers = [("schema", b"undertone.transcript/9"), ("mine", b"kept")]
        await publisher.write(TRANSCRIPTS, SESSION_ID, SESSION_ID.encode(), b"{future", headers)
    await publish(topics, TRANSCRIPTS, [transcript(1, 0, 900)])

    async with running_app(make_classifier, topics):
        await until(lambda: _count(topics, UTTERANCES, 1), 20)

    (letter,) = await read_records(topics, DEAD_LETTERS)
    assert (letter.key, letter.value) == (SESSION_ID.encode(), b"{future")
    kept = dict(letter.headers)
    assert kept["mine"] == b"kept"
    assert b"newer than this program" in kept["dead-letter"]


def make_failing_classifier(settings: Settings, outputs: Outputs, dead_letters: DeadLetters) -> Classifier:
    def judge(final: Transcript) -> Sentiment | Unjudged:
        if final.text == "boom":
            raise RuntimeError("the engine fell over")
        return "language"

    return Classifier(judge, outputs)


async def test_a_text_that_crashes_the_engine_goes_on_unjudged_and_is_kept(topics: Settings) -> None:
    await publish(topics, TRANSCRIPTS, [transcript(1, 0, 900, "boom"), transcript(2, 1000, 1900, "fine")])

    async with running_app(make_failing_classifier, topics):
        await until(lambda: _count(topics, UTTERANCES, 2), 20)

    utterances = [event for event in await read_events(topics, UTTERANCES) if isinstance(event, Utterance)]
    assert [(event.text, event.sentiment) for event in utterances] == [("boom", None), ("fine", None)]
    (letter,) = await read_records(topics, DEAD_LETTERS)
    assert b"the engine fell over" in dict(letter.headers)["dead-letter"]


async def test_statistics_go_on_after_a_restart_and_repeats_change_nothing(topics: Settings) -> None:
    first = [utterance(1, 500, 1500), utterance(2, 9000, 12_000, "negative")]
    await publish(topics, UTTERANCES, first)
    async with running_app(Statistician, topics):
        await until(lambda: _has_applied(topics, 2), 20)
    repeated: list[Event] = [*first, utterance(3, 12_500, 13_000, "neutral"), mark(4, 14_000, "stop")]
    await publish(topics, UTTERANCES, repeated)
    async with running_app(Statistician, topics):
        await until(lambda: _has_applied(topics, 4), 20)

    windows = {
        (event.size_ms, event.start_ms): event
        for event in await read_events(topics, WINDOWS)
        if isinstance(event, Window)
    }
    whole = windows[0, 0]
    assert (whole.utterances, whole.positive, whole.neutral, whole.negative) == (3, 1, 1, 1)
    assert (whole.talk_ms, whole.silence_ms, whole.final) == (4500, 9500, True)
    assert whole.score == round((0.5012 - 0.7251 + 0.01) / 3, 4)
    assert (windows[10_000, 0].talk_ms, windows[10_000, 0].utterances) == (2000, 2)
    assert (windows[10_000, 10_000].talk_ms, windows[10_000, 10_000].utterances) == (2500, 1)
    assert windows[10_000, 0].final


class Hesitant:
    """Settles records from the last to the first, and only when told to."""

    name = "hesitant"
    inputs: Sequence[Topic] = (TRANSCRIPTS,)

    def __init__(self, settings: Settings, outputs: Outputs, dead_letters: DeadLetters) -> None:
        self.held: list[Delivery] = []

    async def assign(self, partitions: frozenset[int]) -> None:
        self.held.clear()

    async def revoke(self) -> None:
        self.held.clear()

    async def receive(self, delivery: Delivery) -> None:
        self.held.append(delivery)


async def test_a_commit_never_passes_an_unsettled_record_on_a_fresh_group(topics: Settings) -> None:
    """Faust's own acknowledgement commits past the gap here: its check knows no gap before the first commit."""
    await publish(topics, TRANSCRIPTS, [transcript(seq, seq * 1000, seq * 1000 + 500) for seq in range(1, 6)])
    partition = place(SESSION_ID, topics.partitions)
    apps: list[Hesitant] = []

    def make(settings: Settings, outputs: Outputs, dead_letters: DeadLetters) -> Hesitant:
        apps.append(Hesitant(settings, outputs, dead_letters))
        return apps[-1]

    async with running_app(make, topics):
        await until(lambda: len(apps[0].held) == 5, 20)
        for delivery in apps[0].held[1:]:
            delivery.settle()
    assert await committed(topics, "hesitant", TRANSCRIPTS, partition) is None

    async with running_app(make, topics):
        await until(lambda: len(apps[1].held) == 5, 20)
        for delivery in apps[1].held[:2]:
            delivery.settle()
    assert await committed(topics, "hesitant", TRANSCRIPTS, partition) == 2


async def test_a_second_worker_takes_over_and_each_record_is_settled_once_by_someone(topics: Settings) -> None:
    async with running_app(Statistician, topics):
        await publish(topics, UTTERANCES, [utterance(1, 0, 900)])
        await until(lambda: _has_applied(topics, 1), 20)
        async with running_app(Statistician, topics):
            await publish(topics, UTTERANCES, [utterance(seq, seq * 1000, seq * 1000 + 900) for seq in range(2, 30)])
            await until(lambda: _has_applied(topics, 29), 40)
        await publish(topics, UTTERANCES, [mark(30, 60_000, "stop")])
        await until(lambda: _has_applied(topics, 30), 40)

    whole = [event for event in await read_events(topics, WINDOWS) if isinstance(event, Window) and event.size_ms == 0]
    assert whole[-1].utterances == 29
    assert [window.seq for window in whole] == sorted(window.seq for window in whole)


class Stuck(Hesitant):
    """Never finishes with its first record; settles every other at once."""

    name = "stuck"
    has_begun = False

    async def receive(self, delivery: Delivery) -> None:
        self.held.append(delivery)
        if not Stuck.has_begun:
            Stuck.has_begun = True
            await asyncio.Event().wait()
        delivery.settle()


async def test_a_record_under_way_does_not_hold_up_a_rebalance_and_comes_again(topics: Settings) -> None:
    await publish(topics, TRANSCRIPTS, [transcript(seq, seq * 1000, seq * 1000 + 500) for seq in range(1, 4)])
    partition = place(SESSION_ID, topics.partitions)
    async with running_app(Stuck, topics) as first:
        await until(lambda: Stuck.has_begun, 20)
        async with running_app(Stuck, topics) as second:
            await until(lambda: _commits(topics, "stuck", partition, 3), 40)
            for adapter in (first, second):
                assert not adapter.failed.done()


async def test_a_worker_that_was_away_writes_nothing(topics: Settings) -> None:
    """No event, and no tombstone; and it does not come back by trying again."""
    now_s = 100.0
    async with open_publisher(topics) as publisher:
        outputs = Outputs(publisher, Presence(10, clock=lambda: now_s))
        await outputs.put(TRANSCRIPTS, SESSION_ID, transcript(1, 0, 900))
        now_s += 10.1
        for write in (
            outputs.put(TRANSCRIPTS, SESSION_ID, transcript(2, 1000, 1900)),
            outputs.bury(TRANSCRIPTS, SESSION_ID, SESSION_ID.encode()),
            outputs.put(TRANSCRIPTS, SESSION_ID, transcript(3, 2000, 2900)),
        ):
            with pytest.raises(FatalError, match="it stops before it writes"):
                await write
    assert len(await read_records(topics, TRANSCRIPTS)) == 1


async def _commits(settings: Settings, app: str, partition: int, offset: int) -> bool:
    return await committed(settings, app, TRANSCRIPTS, partition) == offset


async def _count(settings: Settings, topic: Topic, least: int) -> bool:
    return len(await read_records(settings, topic)) >= least


async def _has_applied(settings: Settings, seq: int) -> bool:
    memory = await read_events(settings, STATISTICS)
    return any(isinstance(event, Statistics) and event.seq >= seq for event in memory)
