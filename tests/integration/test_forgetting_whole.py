"""A session is deleted in the middle of live speech, with every part running: nothing of it is found anywhere."""

import asyncio
import json

from pydantic import SecretStr

from dashboards.app import make_app
from models.sentiment import make_router
from storage.migrations import upgrade
from stream_apps.classifier import Classifier
from stream_apps.dead_letters import DeadLetters
from stream_apps.presence import Outputs
from stream_apps.statistician import Statistician
from tests.clips import read_clip, silence
from tests.forgetting import (
    NONE,
    archiving,
    assert_nothing_is_left,
    assert_nothing_is_shown,
    dump,
    latest,
    of,
    rows,
)
from tests.ingest_serving import START, Made, Served, read_until, serve_ingest
from tests.streams import committed, read_records, running_app
from tests.transcribing import transcribing
from tests.viewing import Stream, served, watching
from tests.waiting import until
from undertone.audio import BYTES_PER_SAMPLE
from undertone.kafka import open_publisher
from undertone.settings import Settings
from undertone.topics import AUDIO, SESSIONS, TRANSCRIPTS, UTTERANCES, WINDOWS, Topic

FRAME_BYTES = 3200
SAID = "country"
INPUTS = {"transcriber": AUDIO, "classifier": TRANSCRIPTS, "statistics": UTTERANCES, "archivist": UTTERANCES}


def classifier(settings: Settings, outputs: Outputs, dead_letters: DeadLetters) -> Classifier:
    return Classifier(make_router("vader", settings.cache).judge, outputs)


async def speak(ingest: Served, made: Made, pcm: bytes) -> dict[str, object]:
    """Send speech frame by frame, and go on with silence until the server ends it; what it says then."""
    async with ingest.connect(made) as socket:
        await socket.send(json.dumps({**START, "next_sample": 0}))
        await read_until(socket, "ready")

        async def send() -> None:
            at = 0
            while True:
                piece = pcm[at : at + FRAME_BYTES] or bytes(FRAME_BYTES)
                await socket.send((at // BYTES_PER_SAMPLE).to_bytes(8, "little") + piece)
                at += len(piece)
                await asyncio.sleep(0.1 if at > len(pcm) else 0)  # live

        sending = asyncio.create_task(send())
        try:
            async with asyncio.timeout(90):
                while (message := json.loads(await socket.recv()))["type"] != "error":
                    pass
        finally:
            sending.cancel()
            await asyncio.wait([sending])
        return dict(message)


async def replay(settings: Settings, name: str, topic: Topic) -> None:
    """Write the session's records once more, as they were: a replay of dead letters, or of a whole topic."""
    async with open_publisher(settings) as publisher:
        for record in of(name, await read_records(settings, topic)):
            if record.key is not None and record.value is not None:
                await publisher.write(topic, name, record.key, record.value, list(record.headers))


async def all_is_settled(settings: Settings) -> bool:
    for app, topic in INPUTS.items():
        for partition in range(settings.partitions):
            offsets = [record.offset for record in await read_records(settings, topic) if record.partition == partition]
            if offsets and await committed(settings, app, topic, partition) != offsets[-1] + 1:
                return False
    return True


async def hears(stream: Stream) -> None:
    """Wait for the words."""
    while SAID not in (await stream.until("utterance"))["text"]:
        pass


async def test_deleted_while_somebody_speaks(topics: Settings, database: str) -> None:
    upgrade(database)
    whole = topics.model_copy(update={"database": SecretStr(database)})
    pcm = read_clip("jfk.flac") + silence(1600) + read_clip("jfk.flac")
    async with (
        serve_ingest(whole) as ingest,
        transcribing(whole),
        running_app(classifier, whole),
        running_app(Statistician, whole),
        archiving(whole),
        served(make_app(whole)) as address,
    ):
        made = await ingest.make(title="a secret", tags=["secret"])
        name = made.session_id
        path = f"/v1/sessions/{name}/events"
        speaking = asyncio.create_task(speak(ingest, made, pcm))
        async with watching(address, path, token=made.read_token) as stream:
            await hears(stream)
            await until(lambda: rows(whole, name)["utterances"] and rows(whole, name)["windows"], 20)
            answer = await ingest.http.delete(f"/v1/sessions/{name}", params={"token": made.write_token})
            assert answer.status_code == 200
            await stream.until("session", state="deleted")
            await stream.rest()
        said = await speaking
        assert (said["code"], said["retryable"]) == ("session_ended", False)
        await until(lambda: rows(whole, name) == NONE, 20)
        await until(lambda: all_is_settled(whole), 20)
        await assert_nothing_is_left(whole, name, SAID)
        await assert_nothing_is_shown(address, name, made.read_token, stream.last_id)
        for topic in (AUDIO, TRANSCRIPTS, UTTERANCES, WINDOWS, SESSIONS):
            await replay(whole, name, topic)
        await until(lambda: all_is_settled(whole), 20)
        await assert_nothing_is_shown(address, name, made.read_token, stream.last_id)
        for topic in (UTTERANCES, WINDOWS):
            await until(lambda topic=topic: _is_ended(whole, name, topic), 20)  # type: ignore[misc]
        assert rows(whole, name) == NONE
        assert SAID not in dump(whole)
    async with served(make_app(whole)) as restarted:
        await assert_nothing_is_shown(restarted, name, made.read_token, stream.last_id)


async def _is_ended(settings: Settings, name: str, topic: Topic) -> bool:
    return set(latest(of(name, await read_records(settings, topic))).values()) == {None}
