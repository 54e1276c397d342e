"""`undertone dead-letters` on real Kafka: what is shown, what goes back, and what that adds."""

import asyncio
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from models.sentiment import make_router
from stream_apps.classifier import Classifier
from stream_apps.dead_letters import DeadLetters
from stream_apps.deliveries import Delivery
from stream_apps.presence import Outputs
from stream_apps.statistician import Statistician
from tests.examples import SESSION_ID, mark, transcript, utterance
from tests.integration.test_poison import committed, letters, make_classifier, write
from tests.poison import Bad, producing
from tests.streams import read_events, read_records, running_app
from tests.waiting import until
from undertone.cli import app
from undertone.errors import PoisonError
from undertone.events import Deletion, Statistics, Utterance
from undertone.identifiers import make_session_id, session_created_at
from undertone.local.environment import kafka_environment
from undertone.settings import Settings
from undertone.topics import DEAD_LETTERS, DELETIONS, STATISTICS, TRANSCRIPTS, UTTERANCES, place

PARTITION = place(SESSION_ID, 2)
NEIGHBOURS = [one for number in range(100) if place(one := make_session_id(1_790_000_000_000, number), 2) == PARTITION]

Run = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def run(topics: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command on this test's topics: its exit status and its lines."""
    for name, value in kafka_environment(topics).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("UNDERTONE_TOPIC_PREFIX", topics.topic_prefix)

    def invoke(*words: str) -> tuple[int, list[str]]:
        result = CliRunner().invoke(app, ["dead-letters", *words])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, [" ".join(line.split()) for line in result.output.splitlines()]

    return invoke


class Old(Classifier):
    """A classifier of an older version, which cannot read what a newer one can."""

    async def receive(self, delivery: Delivery) -> None:
        if b"of a newer form" in (delivery.value or b""):
            raise PoisonError("of a newer form")
        await super().receive(delivery)


def make_old(settings: Settings, outputs: Outputs, dead_letters: DeadLetters) -> Classifier:
    return Old(make_router("vader", settings.cache).judge, outputs)


async def put_aside(settings: Settings, count: int) -> None:
    """Wait until an old classifier has put so many aside and acknowledged all of them."""
    await write(settings, TRANSCRIPTS, mark(1, 100, session_id=NEIGHBOURS[-1]))
    async with running_app(make_old, settings, "classifier"):
        await until(lambda: _heard(settings, NEIGHBOURS[-1]), 20)
    assert len(await letters(settings)) == count


async def _heard(settings: Settings, session_id: str) -> bool:
    return any(getattr(event, "session_id", "") == session_id for event in await read_events(settings, UTTERANCES))


async def test_a_replay_adds_what_is_missing_once_and_nothing_behind(topics: Settings, run: Run) -> None:
    late = NEIGHBOURS[0]
    newer = "I love what is of a newer form"
    await write(
        topics,
        TRANSCRIPTS,
        transcript(1, 0, 900),
        transcript(2, 1000, 1900, newer),
        transcript(3, 2000, 2900, newer),
        transcript(1, 0, 900, newer, session_id=late),
        transcript(2, 1000, 1900, session_id=late),
    )
    async with running_app(Statistician, topics):
        await put_aside(topics, 3)
        second, third = [letter.id for letter in await letters(topics)][:2]
        before = len(await read_records(topics, TRANSCRIPTS))
        status, lines = await asyncio.to_thread(run, "replay", "--app", "classifier", "--dry-run")
        assert status == 1
        assert lines[0] == f"{second} transcripts-{PARTITION}@1: would be replayed"
        assert lines[1] == f"{third} transcripts-{PARTITION}@2: would be replayed"
        assert "stays: its session went on to 2, and 1 would be a repeat behind it" in lines[2]
        assert lines[3] == "2 of 3 dead letters would be replayed"
        assert len(await read_records(topics, TRANSCRIPTS)) == before
        status, lines = await asyncio.to_thread(run, "replay", third)
        assert (status, f"{second} of the same session comes before it" in lines[0]) == (1, True)
        status, lines = await asyncio.to_thread(run, "replay", third, second)
        assert (status, lines[-1]) == (0, "2 of 2 dead letters replayed")
        copies = (await read_records(topics, TRANSCRIPTS))[before:]
        originals = {letter.id: letter for letter in await letters(topics)}
        assert [(each.value, list(each.headers)) for each in copies] == [
            (originals[name].value, originals[name].headers) for name in (second, third)
        ]
        status, lines = await asyncio.to_thread(run, "replay", "--all")
        assert (status, lines[-1]) == (1, "0 of 3 dead letters replayed")
        assert len(await read_records(topics, TRANSCRIPTS)) == before + 2
        async with running_app(make_classifier, topics):

            async def counted() -> bool:
                memory = await read_events(topics, STATISTICS)
                return any(
                    isinstance(each, Statistics) and (each.session_id, each.seq) == (SESSION_ID, 3) for each in memory
                )

            await until(counted, 30)
    said = [event for event in await read_events(topics, UTTERANCES) if isinstance(event, Utterance)]
    assert [event.seq for event in said if event.session_id == SESSION_ID] == [1, 2, 3]
    assert [event.seq for event in said if event.session_id == late] == [2]
    status, lines = await asyncio.to_thread(run, "list")
    assert [line.split()[0] for line in lines if "replayed" in line] == [second, third]


async def test_what_was_replayed_but_not_marked_is_not_replayed_again(topics: Settings, run: Run) -> None:
    final = transcript(1, 0, 900, "of a newer form")
    await write(topics, TRANSCRIPTS, final)
    await put_aside(topics, 1)
    await write(topics, TRANSCRIPTS, final)  # as a replay that was killed before its mark leaves it
    status, lines = await asyncio.to_thread(run, "replay", "--all")
    assert (status, "would be a repeat" in lines[0]) == (1, True)
    assert len(await read_records(topics, TRANSCRIPTS)) == 3


async def test_what_was_not_acknowledged_comes_again_by_itself(topics: Settings, run: Run) -> None:
    await write(topics, TRANSCRIPTS, transcript(1, 0, 900, "of a newer form"))
    async with running_app(make_old, topics, "classifier"):
        await until(lambda: _letters(topics, 1), 20)
    status, lines = await asyncio.to_thread(run, "replay", "--all")
    assert (status, "has not acknowledged it" in lines[0]) == (1, True)


async def test_what_two_apps_put_aside_is_replayed_once_for_both(topics: Settings, run: Run) -> None:
    class First(Statistician):
        name = "first"

        async def receive(self, delivery: Delivery) -> None:
            if delivery.offset == 0:
                raise PoisonError("of a newer form")
            delivery.settle()

    class Second(First):
        name = "second"

    await write(topics, UTTERANCES, utterance(1, 0, 900), mark(1, 100, session_id=NEIGHBOURS[-1]))
    for make in (First, Second):
        async with running_app(make, topics, make.name):
            await until(lambda: _committed(topics, make.name), 20)  # noqa: B023 - awaited here
    status, lines = await asyncio.to_thread(run, "replay", "--app", "first")
    assert (status, lines[-1]) == (0, "1 of 1 dead letters replayed")
    assert len(await read_records(topics, UTTERANCES)) == 3
    status, lines = await asyncio.to_thread(run, "replay", "--all")
    assert (status, lines[-1]) == (1, "0 of 2 dead letters replayed")
    assert len(await read_records(topics, UTTERANCES)) == 3


async def test_show_list_and_drop(topics: Settings, run: Run) -> None:
    forgotten = NEIGHBOURS[0]
    async with producing(topics) as producer, running_app(make_classifier, topics):
        await producer.write(TRANSCRIPTS, SESSION_ID, Bad(b"\x00\x01text\xff", [("mine", b"kept\x1b")]))
        await producer.write(TRANSCRIPTS, SESSION_ID, Bad('{"text":"좋아요 [bold]"}\x1b[31m'.encode(), []))
        await producer.write(TRANSCRIPTS, forgotten, Bad(b"a secret", []))
        await until(lambda: _letters(topics, 3), 20)
    deletion = Deletion(session_id=forgotten, requested_at=session_created_at(forgotten), requested_by="test")
    await write(topics, DELETIONS, deletion)
    odd, text, secret = [letter.id for letter in await letters(topics)]
    status, lines = await asyncio.to_thread(run, "list")
    assert (status, lines[-1]) == (0, "3 dead letters")
    assert [line.split()[0] for line in lines[1:-1]] == [odd, text, secret]
    assert "its session was deleted" in lines[3]
    shown = (await asyncio.to_thread(run, "show", odd))[1]
    assert f"from transcripts-{PARTITION}@0, written" in " ".join(shown)
    assert "header mine: b'kept\\x1b'" in shown
    assert "00000000 00 01 74 65 78 74 ff ..text." in shown
    shown = (await asyncio.to_thread(run, "show", f"transcripts-{PARTITION}@1"))[1]
    assert '{"text":"좋아요 [bold]"}\\x1b[31m' in shown
    with pytest.raises(AssertionError, match="is not shown: its session was deleted"):
        await asyncio.to_thread(run, "show", secret)
    with pytest.raises(AssertionError, match="which letters"):
        await asyncio.to_thread(run, "drop")
    kept = len(await read_records(topics, DEAD_LETTERS))
    assert (await asyncio.to_thread(run, "drop", "--all", "--dry-run"))[1][-1] == "3 dead letters would be dropped"
    assert len(await read_records(topics, DEAD_LETTERS)) == kept
    assert (await asyncio.to_thread(run, "drop", odd, secret))[1][-1] == "2 dead letters dropped"
    lines = (await asyncio.to_thread(run, "list"))[1]
    assert (lines[1].split()[0], lines[-1]) == (text, "1 dead letters")
    async with running_app(make_classifier, topics):  # nothing was acknowledged: but for what is deleted, once more
        await until(lambda: _records(topics, kept + 4), 20)
    assert (await asyncio.to_thread(run, "list"))[1][-1] == "1 dead letters"


async def _letters(settings: Settings, count: int) -> bool:
    return len(await letters(settings)) >= count


async def _records(settings: Settings, count: int) -> bool:
    return len(await read_records(settings, DEAD_LETTERS)) >= count


async def _committed(settings: Settings, app: str) -> bool:
    return await committed(settings, app, UTTERANCES) == 2
