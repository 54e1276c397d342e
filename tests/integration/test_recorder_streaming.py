"""The recorder against a real server and a real Kafka, over wires that are cut."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve

from tests.bombs import make_flac, make_wav
from tests.ingest_serving import Served, heard, pcm, read_log, serve_ingest, tell
from tests.recordings import make_recording
from tests.waiting import until
from tests.wires import cuttable, open_wires
from undertone.commands import recordings
from undertone.commands.recordings import stream_files
from undertone.errors import FatalError, Refusal, TransientError
from undertone.kafka import open_publisher, open_reader, read_to_end
from undertone.local.ports import free_ports
from undertone.recorder import Finished, Recorder, open_recorder
from undertone.records import Close, Open
from undertone.session_keys import SessionKeys, create_session
from undertone.settings import Settings
from undertone.topics import AUDIO


@pytest.fixture
async def served(topics: Settings) -> AsyncIterator[Served]:
    async with serve_ingest(topics) as running:
        yield running


async def end_when_closed(topics: Settings, session_id: str, utterances: int = 1) -> None:
    """Do as the transcriber does: read the session's log to its close, then say that it has ended."""

    async def closed() -> Close | None:
        log = await read_log(topics, session_id)
        return log[-1] if log and isinstance(log[-1], Close) else None

    close = await until(closed, 30)
    assert close is not None
    async with open_publisher(topics) as transcriber:
        await tell(transcriber, close.session_id, state="ended", reason="stop", through=close.at, utterances=utterances)


async def test_a_recording_over_wires_that_are_cut(served: Served, topics: Settings) -> None:
    blocks, gap_at = 200, 20  # a gap reaches no further than wall time plus five seconds
    async with cuttable(served.url) as (url, cut), open_recorder(url, language="en") as recorder:
        for index in range(blocks):
            if index == gap_at:
                recorder.gap(1600)
            else:
                await recorder.write(pcm(index * 1600, 1600))
            if index % 40 == 39:
                sample = recorder.acknowledged

                def is_moving(sample: int = sample) -> bool:
                    return recorder.acknowledged > sample

                await until(is_moving, 20)
                cut()
        await recorder.write(pcm(blocks * 1600, 7))
        ending = asyncio.create_task(end_when_closed(topics, recorder.keys.session_id))
        finished = await recorder.stop()
        await ending
        assert finished == Finished(samples=blocks * 1600 + 7, utterances=1)
        assert recorder.connections >= 4
        log = await read_log(topics, recorder.keys.session_id)
    before, after = pcm(0, gap_at * 1600), pcm((gap_at + 1) * 1600, (blocks - gap_at - 1) * 1600 + 7)
    sound, gaps = heard(log)
    assert gaps == [(gap_at * 1600, (gap_at + 1) * 1600)]
    assert sound == before + after


async def test_a_wire_that_carries_nothing_any_more_is_given_up(
    served: Served, topics: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No reset, no word: what the recorder sends is taken, and nobody has it."""
    monkeypatch.setattr("undertone.recorder.SILENT_FOR_S", 2.0)
    async with (
        open_wires(urlsplit(served.url).port or 0) as wires,
        open_recorder(f"http://127.0.0.1:{wires.port}") as recorder,
    ):
        await recorder.write(pcm(0, 1600))
        await until(lambda: recorder.acknowledged == 1600, 20)
        wires.freeze()
        await recorder.write(pcm(1600, 1600))
        await until(lambda: recorder.acknowledged == 3200, 20)
        assert recorder.connections == 2
        log = await read_log(topics, recorder.keys.session_id)
    assert heard(log) == (pcm(0, 3200), [])


async def test_a_stop_that_was_cut_is_sent_again(served: Served, topics: Settings) -> None:
    async with cuttable(served.url) as (url, cut), open_recorder(url) as recorder:
        await recorder.write(pcm(0, 1600))
        stopping = asyncio.create_task(recorder.stop())
        session_id = recorder.keys.session_id

        async def closed() -> bool:
            return isinstance((await read_log(topics, session_id))[-1], Close)

        await until(closed, 10)
        cut()
        await end_when_closed(topics, session_id)
        assert await stopping == Finished(1600, 1)
    assert heard(await read_log(topics, session_id)) == (pcm(0, 1600), [])


async def test_a_recorder_that_was_taken_over_says_so(served: Served) -> None:
    async with open_recorder(served.url) as first:
        await first.write(pcm(0, 1600))
        await until(lambda: first.acknowledged == 1600, 10)
        second = Recorder(served.url, first.keys)
        try:
            await until(lambda: second.connections == 1, 10)
            with pytest.raises(Refusal) as caught:
                await first.stop()
            assert caught.value.code == "taken_over"
            with pytest.raises(Refusal):
                await first.write(pcm(1600, 1600))
        finally:
            await second.close()


async def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    with pytest.raises(TransientError, match=r"undertone up"):
        await create_session(url)
    recorder = Recorder(url, SessionKeys("s", "w", "r"), patience_s=0.1)
    with pytest.raises(TransientError, match="has been away"):
        await recorder.stop()
    with pytest.raises(FatalError, match=r"missing\.wav: cannot be read"):
        await stream_files([tmp_path / "missing.wav"], "max", url, None)
    letter = tmp_path / "letter.wav"
    letter.write_text("not a recording")
    with pytest.raises(FatalError, match=r"letter\.wav: the file is not audio"):
        await stream_files([letter], "max", url, None)


async def test_a_refused_wish_reaches_the_caller(served: Served) -> None:
    with pytest.raises(Refusal, match="as in en, ko or en-US") as caught:
        await create_session(served.url, language="Klingon")
    assert caught.value.code == "request_invalid"
    made = await served.make()
    recorder = Recorder(served.url, SessionKeys(made.session_id, "nonsense", ""), patience_s=1.0)
    with pytest.raises(Refusal) as caught:
        await recorder.stop()
    assert caught.value.code == "token_invalid"


async def test_a_token_of_another_clock_or_secret_loses_nothing(served: Served, topics: Settings) -> None:
    """The replica that a recorder comes to first has another secret than the one that made its token."""
    made = await served.make()
    strange = topics.model_copy(update={"secret": SecretStr("the-secret-of-a-replica-that-was-set-up-wrongly")})
    async with serve_ingest(strange) as other, open_wires(urlsplit(other.url).port or 0) as wires:
        recorder = Recorder(f"http://127.0.0.1:{wires.port}", SessionKeys(made.session_id, made.write_token, ""))
        try:
            await recorder.write(pcm(0, 1600))
            await until(lambda: wires.passed > 1, 30, "it is refused, and comes again")
            assert recorder.acknowledged == 0
            wires.lead_to(urlsplit(served.url).port or 0)
            await until(lambda: recorder.acknowledged == 1600, 30)
        finally:
            await recorder.close()
    assert heard(await read_log(topics, made.session_id)) == (pcm(0, 1600), [])


async def test_a_gap_into_the_future_is_made_shorter_and_not_refused(served: Served, topics: Settings) -> None:
    async with open_recorder(served.url) as recorder:
        await recorder.write(pcm(0, 1600))
        recorder.gap(3600 * 16_000)  # a clock that jumped by an hour
        await recorder.write(pcm(0, 1600))
        ending = asyncio.create_task(end_when_closed(topics, recorder.keys.session_id))
        finished = await recorder.stop()
        await ending
    sound, gaps = heard(await read_log(topics, recorder.keys.session_id))
    assert sound == pcm(0, 1600) + pcm(0, 1600)
    assert [start for start, _ in gaps] == [1600]
    assert 5 * 16_000 < finished.samples < 30 * 16_000


@pytest.fixture
def no_captions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for captions, since there is no read side here."""
    monkeypatch.setattr(recordings, "CAPTIONS_WITHIN_S", 0.1)


async def sessions_in_log(topics: Settings) -> list[str]:
    async with open_reader(topics, [AUDIO]) as consumer:
        keys = {(record.key or b"").decode() async for record in read_to_end(consumer)}
    return sorted(keys)


@pytest.mark.usefixtures("no_captions")
async def test_files_are_streamed_as_sessions(served: Served, topics: Settings, tmp_path: Path) -> None:
    paths = []
    for kind in ("flac", "mp3"):
        path = tmp_path / f"tone.{kind}"
        path.write_bytes(make_recording(kind, 3))
        paths.append(path)
    made = list[str]()

    async def more() -> list[str]:
        return (await sessions_in_log(topics))[len(made) :]

    async def transcribe() -> None:
        for _ in paths:
            session_id = (await until(more, 20))[0]
            await end_when_closed(topics, session_id)
            made.append(session_id)

    transcribing = asyncio.create_task(transcribe())
    finished = await stream_files(paths, "max", served.url, "en")
    await transcribing
    assert [abs(each.samples - 48_000) < 1600 for each in finished] == [True, True]
    for session_id, each in zip(made, finished, strict=True):
        sound, gaps = heard(await read_log(topics, session_id))
        assert (len(sound), gaps) == (each.samples * 2, [])


async def titles_in_log(topics: Settings) -> list[str | None]:
    """The title of each session whose recording has been opened, in order."""
    titles = list[str | None]()
    for session_id in await sessions_in_log(topics):
        log = await read_log(topics, session_id)
        titles += [record.title for record in log if isinstance(record, Open) and record.connection == ""]
    return titles


@pytest.mark.usefixtures("no_captions")
async def test_a_bad_file_is_named_and_the_others_are_sent(
    served: Served, topics: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_recording("wav", 1)
    paths = [
        Path(os.fsdecode(bytes(tmp_path / "caf") + b"\xe9.wav")),
        tmp_path / "bad.m4a",
        tmp_path / f"{'interview-' * 24}.wav",
        tmp_path / "truncated.wav",
        tmp_path / "missing.wav",
        tmp_path / "silent.wav",
    ]
    for path in paths:
        if path.name != "missing.wav":
            path.write_bytes(b"\0\0\0 ftypM4A " * 40 if path.name == "bad.m4a" else data)
    paths[3].write_bytes(data[: len(data) // 2])
    paths[5].write_bytes(make_wav(16_000, 1, bytes(32_000)))
    ended = list[str]()

    async def transcribe() -> None:
        for _ in range(4):
            session_id = (await until(lambda: new_sessions(topics, len(ended)), 20))[0]
            await end_when_closed(topics, session_id, utterances=int(len(ended) < 3))
            ended.append(session_id)

    transcribing = asyncio.create_task(transcribe())
    with pytest.raises(FatalError, match="2 of 6 recordings"):
        await stream_files(paths, "max", served.url, "en")
    await transcribing
    assert await titles_in_log(topics) == [
        "caf\ufffd.wav",
        "interview-" * 19 + "interview…",
        "truncated.wav",
        "silent.wav",
    ]
    printed = capsys.readouterr()
    assert re.findall(r"(\w+\.\w+): (the file is not audio|cannot be read)", printed.err) == [
        ("bad.m4a", "the file is not audio"),
        ("missing.wav", "cannot be read"),
    ]
    assert re.search(r"truncated\.wav: the file ends after 0\.5 s", printed.out)
    assert re.findall(r"no utterances in .*/(\w+\.wav): (.*)", printed.out) == [("silent.wav", "peak -inf dBFS")]


async def new_sessions(topics: Settings, known: int) -> list[str]:
    return (await sessions_in_log(topics))[known:]


@pytest.mark.usefixtures("no_captions")
async def test_a_file_longer_than_a_session_is_refused_before_its_first_sample(
    topics: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "silence.flac"
    path.write_bytes(make_flac(16_000, 7100, block=8192))  # a little more than an hour
    async with serve_ingest(topics.model_copy(update={"token_hours": 1})) as served:
        with pytest.raises(FatalError, match=r"silence\.flac: the file holds more than 1 hours of audio"):
            await stream_files([path], "max", served.url, None)
        (session_id,) = await sessions_in_log(topics)
        assert await read_log(topics, session_id) == [Open(session_id, "", 0, title="silence.flac")]
        made = await served.make()
        answer = await served.post(made, "file", path.read_bytes())
    assert answer.json()["code"] == "file_too_long"


@pytest.mark.usefixtures("no_captions")
async def test_ctrl_c_ends_the_session(served: Served, topics: Settings, tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    path.write_bytes(make_recording("wav", 30))
    streaming = asyncio.create_task(stream_files([path, path], "1", served.url, None))

    async def speaking() -> str | None:
        for session_id in await sessions_in_log(topics):
            if heard(await read_log(topics, session_id))[0]:
                return session_id
        return None

    session_id = await until(speaking, 20)
    assert session_id is not None
    ending = asyncio.create_task(end_when_closed(topics, session_id))
    streaming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await streaming
    await ending
    assert await sessions_in_log(topics) == [session_id]


async def test_a_refusal_while_audio_is_being_sent_is_final() -> None:
    async def refuse(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send('{"type":"ready"}')
        await socket.recv()
        await socket.send(json.dumps(Refusal("session_full", "a session ends here", status=409).body()))
        await socket.close(4409)

    async with serve(refuse, "127.0.0.1", 0, max_queue=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        recorder = Recorder(f"http://127.0.0.1:{port}", SessionKeys("s", "w", "r"))
        for index in range(50):
            await recorder.write(pcm(index * 1600, 1600))
        with pytest.raises(Refusal, match="ends here"):
            await recorder.stop()
        assert recorder.connections == 1
