"""A transcriber in the test's own loop: logs in, and what it made of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stream_apps.adapter import Adapter
from stream_apps.dead_letters import DeadLetters
from stream_apps.obedience import Obedient
from stream_apps.presence import Outputs, Presence
from stream_apps.transcriber import open_transcriber
from tests.streams import read_events
from tests.waiting import until
from undertone.events import Event, Session, Transcript
from undertone.kafka import open_publisher
from undertone.records import AudioRecord
from undertone.settings import Settings
from undertone.topics import SESSIONS


@asynccontextmanager
async def transcribing(settings: Settings, kind: type[Outputs] = Outputs) -> AsyncIterator[Adapter]:
    """A transcriber in this loop, as its worker runs it."""
    async with open_publisher(settings) as publisher:
        outputs = kind(publisher, Presence(60))
        dead_letters = DeadLetters("transcriber", outputs)
        async with open_transcriber(settings, outputs, dead_letters) as app:
            adapter = Adapter(Obedient(app, settings), settings, dead_letters)
            app.attach(adapter)
            outputs.presence.begin()
            await adapter.start()
            try:
                yield adapter
            finally:
                await adapter.stop()


async def publish(settings: Settings, *logs: list[AudioRecord]) -> None:
    """Write logs side by side."""
    async with open_publisher(settings) as publisher:
        for step in range(max(map(len, logs))):
            for log in logs:
                if step < len(log):
                    await publisher.publish_audio(log[step])


async def ended(settings: Settings, *sessions: str) -> dict[str, Session]:
    """The session records, once all of ``sessions`` have ended."""

    async def all_ended() -> dict[str, Session]:
        last = {
            event.session_id: event for event in await read_events(settings, SESSIONS) if isinstance(event, Session)
        }
        return last if all(last.get(one) and last[one].state == "ended" for one in sessions) else {}

    return await until(all_ended, 90, "the sessions end")


def finals(events: list[Event], session: str) -> list[Transcript]:
    """The finals of one session, in order."""
    return [event for event in events if isinstance(event, Transcript) and event.session_id == session]


def comparable(events: list[Transcript]) -> list[dict[str, object]]:
    """All that must not differ between two runs of the same samples."""
    return [event.model_dump(exclude={"timing", "audio", "session_id", "utterance_id"}) for event in events]
