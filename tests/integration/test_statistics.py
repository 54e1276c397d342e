"""A mixed run of 20 sessions through the real statistician and archivist: every window equals SQL, and a plain recount.

Sessions in English, in Korean, in a language that is not judged, and in all of them; with suppressed finals, gaps, long
speech without a pause, idle ends that are taken up again, and nothing said at all; side by side in two partitions.
"""

import random
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from storage.engine import make_engine
from storage.queries import progress_of, utterance_page
from storage.statistics import course, quarters, trend
from stream_apps.adapter import Adapter
from stream_apps.archivist import open_archivist
from stream_apps.dead_letters import DeadLetters
from stream_apps.presence import Outputs, Presence
from stream_apps.statistician import Statistician
from tests.examples import mark, utterance
from tests.recomputation import check_windows, figures, recount
from tests.streams import running_app
from tests.waiting import until
from undertone.audio import to_ms
from undertone.events import EndReason, Label, Mark, Session, Suppression, Utterance, Window
from undertone.identifiers import make_session_id, session_created_at, utterance_id
from undertone.kafka import open_publisher
from undertone.settings import Settings
from undertone.topics import SESSIONS, UTTERANCES
from undertone.windows import Place

SESSIONS_AT_ONCE = 20
EVENTS = 30
HOUR_MS = 3_600_000
SPACES = [character for character in map(chr, range(sys.maxunicode + 1)) if character.isspace()]
TEXTS: dict[str, list[str]] = {
    "en": [
        "I love this",
        "no",
        "well, it   is what it is",
        "that was\ta terrible\nidea",
        "…",
        "a".join(SPACES),
    ],
    "ko": ["정말 좋아요", "아니요", "그건 별로였어요\u3000그렇죠", "네"],
    "ja": ["とても良かったです", "そう\u3000ですね"],  # a language that no model of ours judges
}
LABELS: list[Label] = ["positive", "neutral", "negative"]
SUPPRESSED: list[Suppression] = ["no_speech", "low_confidence", "repetition", "failed"]


@dataclass
class Conversation:
    """One session as the transcriber and the classifier would give it out."""

    session_id: str
    languages: Sequence[str]
    suppressed: float
    end: EndReason
    talks: bool = True
    events: list[Utterance | Mark] = field(default_factory=list)

    def write(self, chance: random.Random) -> "Conversation":
        """Fill it with events up to its end."""
        at_ms = 0
        for _ in range(EVENTS):
            at_ms += chance.choice([0, 0, chance.randint(1, 3_000), chance.randint(3_000, 25_000), -at_ms % 10_000])
            if chance.random() < 0.02:
                at_ms += chance.choice([120_000, HOUR_MS])  # a gap
            if not self.talks or chance.random() < 0.25:
                at_ms += 9_680
                ended: EndReason | None = "idle" if chance.random() < 0.2 else None  # it is taken up again
                self._add(mark(self._seq, at_ms, ended, self.session_id))
            else:
                length_ms = chance.choice([chance.randint(160, 4_000), chance.randint(4_000, 27_500)])
                self._add(self._utterance(chance, at_ms, at_ms + length_ms))
                at_ms += length_ms
        self._add(mark(self._seq, at_ms + 1_000, self.end, self.session_id))
        return self

    @property
    def _seq(self) -> int:
        return len(self.events) + 1

    def _utterance(self, chance: random.Random, start_ms: int, end_ms: int) -> Utterance:
        language = chance.choice(self.languages)
        suppressed = chance.choice(SUPPRESSED) if chance.random() < self.suppressed else None
        judged = language != "ja" and suppressed is None and chance.random() < 0.9
        return utterance(
            self._seq,
            start_ms,
            end_ms,
            chance.choice(LABELS) if judged else None,
            score=round(chance.uniform(-1, 1), 4),
            text="" if suppressed == "failed" else chance.choice(TEXTS[language]),
            suppressed=suppressed,
            loudness_dbfs=round(chance.uniform(-60, -5), 1),
            session_id=self.session_id,
        ).model_copy(update={"language": language})

    def _add(self, event: Utterance | Mark) -> None:
        """Samples are seldom whole milliseconds: the boundary, and all that goes by it, lies a little behind one."""
        odd = len(self.events) % 16
        changes: dict[str, object] = {"through": event.through + odd}
        if isinstance(event, Utterance):
            first = event.first_sample + (odd - 1 if odd else 0)
            changes |= {"first_sample": first, "utterance_id": utterance_id(self.session_id, first)}
            changes["end_sample"] = event.end_sample + odd
        self.events.append(event.model_copy(update=changes))

    def state(self) -> Session:
        """The session's record as of its end."""
        last = self.events[-1]
        finals = [event for event in self.events if isinstance(event, Utterance)]
        suppressed = sum(final.quality.suppressed is not None for final in finals)
        return Session(
            session_id=self.session_id,
            state="ended",
            reason=self.end,
            seq=last.seq,
            through=last.through,
            created_at=session_created_at(self.session_id),
            utterances=len(finals) - suppressed,
            suppressed=suppressed,
        )


def conversations() -> Iterator[Conversation]:
    """The 20 sessions, the same in every run."""
    chance = random.Random(5)
    ways: list[tuple[str, float]] = [("en", 0.0), ("ko", 0.1), ("ja", 0.1), ("en ko ja", 0.3), ("en ko", 0.2)]
    for number in range(SESSIONS_AT_ONCE):
        languages, suppressed = ways[number % len(ways)]
        session_id = make_session_id(1_790_000_000_000 + number, number)
        end: EndReason = "idle" if number % 3 == 0 else "stop"
        if number == 17:
            suppressed = 1.0  # nothing that counts
        yield Conversation(session_id, languages.split(), suppressed, end, talks=number != 18).write(chance)


async def publish_side_by_side(settings: Settings, logs: Sequence[Sequence[Utterance | Mark]]) -> None:
    """The events of each log in its order, those of different logs mixed."""
    chance = random.Random(6)
    queues = [list(log) for log in logs if log]
    async with open_publisher(settings) as publisher:
        while queues:
            queue = chance.choice(queues)
            event = queue.pop(0)
            await publisher.publish(UTTERANCES, event.session_id, event)
            queues = [left for left in queues if left]


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    """The statistician and the archivist at work, until the block ends."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running_app(Statistician, settings))
        publisher = await stack.enter_async_context(open_publisher(settings))
        outputs = Outputs(publisher, Presence(settings.session_timeout_ms / 1000))
        dead_letters = DeadLetters("archivist", outputs)
        app = await stack.enter_async_context(open_archivist(settings, outputs, dead_letters))
        adapter = Adapter(app, settings, dead_letters)
        app.attach(adapter)
        await adapter.start()
        stack.push_async_callback(adapter.stop)
        yield


async def has_stored(settings: Settings, upto: dict[str, int]) -> bool:
    """Whether finals, marks and windows of each session are stored as far as these numbers."""
    engine = make_engine(settings.database_url())
    try:
        async with engine.connect() as connection:
            for session_id, seq in upto.items():
                if (await progress_of(connection, session_id))[0] < seq:
                    return False
            found = await connection.exec_driver_sql("SELECT session_id, seq FROM windows WHERE size_ms = 0")
            reached = {row.session_id: row.seq for row in found}
            return all(reached.get(session_id, 0) >= seq for session_id, seq in upto.items())
    finally:
        await engine.dispose()


async def test_every_window_of_a_mixed_run_equals_sql_over_the_stored_utterances(whole: Settings) -> None:
    spoken = list(conversations())
    half = EVENTS // 2
    firsts = [one.events[:half] for one in spoken]
    rests = [one.events[half - 3 :] for one in spoken]  # three of them again, as after a crash
    await publish_side_by_side(whole, firsts)
    async with working(whole):
        await until(lambda: has_stored(whole, {one.session_id: half for one in spoken}), 60)
    await publish_side_by_side(whole, rests)
    async with open_publisher(whole) as publisher:
        for one in spoken:
            await publisher.publish(SESSIONS, one.session_id, one.state())
    async with working(whole):
        await until(lambda: has_stored(whole, {one.session_id: len(one.events) for one in spoken}), 60)
    checked: list[Window] = []
    for one in spoken:
        windows = await check_windows(whole.database_url(), one.session_id)
        finals = [event for event in one.events if isinstance(event, Utterance)]
        length_ms = to_ms(one.events[-1].through)
        for window in windows:
            place = Place(window.size_ms, window.start_ms)
            assert figures(window) == figures(recount(finals, place, length_ms)), (one.languages, place)
        checked += windows
    _check_that_it_is_mixed(spoken, checked)
    await _check_courses(whole, spoken)


def _check_that_it_is_mixed(spoken: Sequence[Conversation], windows: Sequence[Window]) -> None:
    """What the test is for is in it."""
    finals = [event for one in spoken for event in one.events if isinstance(event, Utterance)]
    assert {final.language for final in finals} == {"en", "ko", "ja"}
    assert {final.quality.suppressed for final in finals} == {None, *SUPPRESSED}
    assert any(final.sentiment is None and final.quality.suppressed is None for final in finals)
    marks = [event for one in spoken for event in one.events[:-1] if isinstance(event, Mark)]
    assert any(mark.ended == "idle" for mark in marks)
    assert max(to_ms(one.events[-1].through) for one in spoken) > HOUR_MS
    assert len(windows) > 1000
    assert any(window.score_min != window.score_max for window in windows)
    assert any(window.utterances and window.score is None for window in windows)
    assert any(window.talk_ms and not window.utterances for window in windows)


async def _check_courses(settings: Settings, spoken: Sequence[Conversation]) -> None:
    """The quarters and the trend of each session, against the same plain recount."""
    engine = make_engine(settings.database_url())
    trends = set()
    async with engine.connect() as connection:
        for one in spoken:
            found = await course(connection, one.session_id)
            stored = (await utterance_page(connection, one.session_id, limit=1000)).items
            length_ms = to_ms(one.events[-1].through)
            assert (found.seq, found.length_ms) == (len(one.events), length_ms)
            places = [Place(0, 0), *quarters(length_ms)]
            anew = [recount(stored, place, length_ms) for place in places]
            assert [figures(window) for window in (found.whole, *found.quarters)] == [figures(each) for each in anew]
            assert {window.final for window in (found.whole, *found.quarters)} == {True}
            assert found.trend == trend(anew[1:])
            trends.add(found.trend)
    await engine.dispose()
    assert None in trends
    assert len(trends) > SESSIONS_AT_ONCE / 2
