"""DELETE at the write side: durable on answer, the same answer again, and nothing more is taken for the session."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner, Result
from websockets.exceptions import ConnectionClosed

from ingest_api.follower import Follower
from tests.forgetting import deletion
from tests.ingest_serving import START, Made, Served, frame, read_until, serve_ingest
from tests.streams import read_records
from tests.waiting import until
from undertone.cli import app
from undertone.codec import Headers, encode
from undertone.deletions import read_deletions
from undertone.identifiers import make_session_id
from undertone.kafka import open_publisher
from undertone.retention import gone_from_logs_by
from undertone.settings import Settings
from undertone.tokens import make_token
from undertone.topics import AUDIO, DELETIONS


@pytest.fixture
async def served(topics: Settings) -> AsyncIterator[Served]:
    async with serve_ingest(topics) as served:
        yield served


async def delete(served: Served, made: Made, token: str | None = None) -> tuple[int, dict[str, object]]:
    params = {"token": token or made.write_token}
    answer = await served.http.delete(f"/v1/sessions/{made.session_id}", params=params)
    return answer.status_code, answer.json()


async def test_the_answer_is_durable_and_the_same_when_asked_again(served: Served, topics: Settings) -> None:
    made = await served.make(title="Call")
    status, answer = await delete(served, made)
    deletions = await read_deletions(topics)  # on answer, not later
    assert (status, list(deletions)) == (200, [made.session_id])
    at = deletions[made.session_id].requested_at
    assert datetime.fromisoformat(str(answer["deleted_at"])) == at
    assert datetime.fromisoformat(str(answer["gone_from_logs_by"])) == gone_from_logs_by(topics, at)
    assert await delete(served, made) == (200, answer)
    assert len(await read_records(topics, DELETIONS)) == 1
    async with serve_ingest(topics) as replica:
        assert await delete(replica, made) == (200, answer)


async def test_only_who_may_write_may_delete_and_only_what_was_made(served: Served, topics: Settings) -> None:
    made, other = await served.make(), await served.make()
    for token, expected in [("", 401), ("x", 401), (made.read_token, 403), (other.write_token, 403)]:
        answer = await served.http.delete(f"/v1/sessions/{made.session_id}", params={"token": token})
        assert answer.status_code == expected
    assert (await served.http.delete("/v1/sessions/nothing", params={"token": "x"})).status_code == 404
    assert await read_records(topics, DELETIONS) == []


async def test_an_operator_needs_no_token_and_may_delete_what_nobody_knows_any_more(
    served: Served, topics: Settings
) -> None:
    """``UNDERTONE_ACCESS`` is open here: whoever shows nothing is an operator."""
    made, long_ago = (await served.make()).session_id, make_session_id(1_500_000_000_000, 7)
    for session_id in (made, long_ago):
        first, again = [await served.http.delete(f"/v1/sessions/{session_id}") for _ in range(2)]
        assert (first.status_code, first.json()) == (200, again.json())
    assert {deletion.requested_by for deletion in (await read_deletions(topics)).values()} == {"anybody"}
    assert set(await read_deletions(topics)) == {made, long_ago}


async def test_a_session_of_which_nothing_was_heard_can_be_deleted(served: Served, topics: Settings) -> None:
    """Who holds its token made it, whether or not the log still knows."""
    session_id = make_session_id(round(datetime.now(UTC).timestamp() * 1000), 7)
    key = topics.signing_key()
    made = Made(session_id, make_token(key, session_id, "write", datetime.now(UTC), 1), "")
    assert (await delete(served, made))[0] == 200
    assert list(await read_deletions(topics)) == [session_id]


async def test_nothing_more_is_taken_for_it_here_and_at_a_replica(served: Served, topics: Settings) -> None:
    made = await served.make()
    async with serve_ingest(topics) as replica:
        await delete(served, made)
        written = len(await read_records(topics, AUDIO))

        async def answers(server: Served) -> list[tuple[int, str]]:
            path, token = f"/v1/sessions/{made.session_id}", {"token": made.write_token}
            found = [
                await server.http.post(f"{path}/audio", content=frame(0), params=token),
                await server.http.post(f"{path}/stop", params={**token, "next_sample": 0}),
                await server.http.post(f"{path}/file", content=b"RIFF", params=token),
            ]
            return [(answer.status_code, answer.json()["code"]) for answer in found]

        assert await answers(served) == [(410, "session_ended")] * 3
        async with served.connect(made) as socket:
            assert (await read_until(socket, "error"))["code"] == "session_ended"
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 4410

        async def obeys() -> bool:
            """Asked with a file that is refused in any case: what matters is why."""
            token = {"token": made.write_token}
            answer = await replica.http.post(f"/v1/sessions/{made.session_id}/file", content=b"RIFF", params=token)
            return answer.status_code == 410

        await until(obeys, 10)
        assert await answers(replica) == [(410, "session_ended")] * 3
    assert len(await read_records(topics, AUDIO)) == written


async def test_it_is_obeyed_from_the_answer_on_before_the_log_has_told_of_it(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, speaking = await served.make(), await served.make()
    async with served.connect(speaking) as socket:
        await socket.send(json.dumps(START))
        await read_until(socket, "ready")
        monkeypatch.setattr(Follower, "_apply", lambda *_: None)  # one that lags
        for session in (made, speaking):
            assert (await delete(served, session))[0] == 200
        async with asyncio.timeout(10):
            assert (await read_until(socket, "error"))["code"] == "session_ended"
    params = {"token": made.write_token}
    answer = await served.http.post(f"/v1/sessions/{made.session_id}/audio", content=frame(0), params=params)
    assert (answer.status_code, answer.json()["code"]) == (410, "session_ended")


async def test_an_open_socket_is_closed_in_the_middle_of_speech(served: Served, topics: Settings) -> None:
    """Here by the request itself, at a replica by the record; the recorder is told that it is for good."""
    async with serve_ingest(topics) as replica:
        for server in (served, replica):
            made = await served.make()
            async with server.connect(made) as socket:
                await socket.send(json.dumps({**START, "next_sample": 0}))
                await read_until(socket, "ready")
                await socket.send(frame(0))
                await read_until(socket, "ack")
                began = asyncio.get_running_loop().time()
                await delete(served, made)
                error = await read_until(socket, "error")
                assert asyncio.get_running_loop().time() - began < 5
                assert (error["code"], error["retryable"]) == ("session_ended", False)
                assert "deleted" in str(error["message"])


async def test_a_record_that_is_no_deletion_of_its_session_deletes_nothing(served: Served, topics: Settings) -> None:
    """Nor does it, or a tombstone, take a deletion back."""
    made, deleted = await served.make(), await served.make()
    assert (await delete(served, deleted))[0] == 200
    value, headers = encode(deletion(deleted.session_id))
    for session in (made, deleted):
        other, other_headers = encode(deletion(make_session_id(1_790_000_000_000, 1)))
        no_deletion = [
            (None, []),
            (b"{}", headers),
            (b"{}", []),
            (b"{", [("schema", b"undertone.deletion/9")]),
            (b"{}", [("schema", b"undertone.deletion/9")]),
            (other, other_headers),
            (value.replace(b'"deletion"', b'"partial"'), headers),
            (value, [("schema", b"undertone.partial/9")]),
        ]
        await write(topics, session, *((session.session_id.encode(), *record) for record in no_deletion))
    await write(topics, made, (b"\xffnobody", value, headers), (made.session_id.encode(), value, headers))
    last = [await served.make(), await served.make()]
    for session, before in zip(last, (made, deleted), strict=True):  # in the same partition, and so read later
        await write(topics, before, (session.session_id.encode(), *encode(deletion(session.session_id))))
    assert set(await read_deletions(topics)) == {session.session_id for session in (deleted, *last)}

    async with serve_ingest(topics) as replica:
        for server in (served, replica):
            for session in last:
                await until(lambda server=server, session=session: is_refused(server, session), 10)  # type: ignore[misc]
            assert await is_refused(server, deleted)
            assert not await is_refused(server, made)


async def test_a_deletion_of_a_newer_version_is_obeyed(served: Served, topics: Settings) -> None:
    made = await served.make()
    value, _ = encode(deletion(made.session_id))
    newer = value.replace(b"{", b'{"why": "asked for", ', 1)
    await write(topics, made, (made.session_id.encode(), newer, [("schema", b"undertone.deletion/9")]))
    assert list(await read_deletions(topics)) == [made.session_id]
    await until(lambda: is_refused(served, made), 10)


async def write(topics: Settings, session: Made, *records: tuple[bytes, bytes | None, Headers]) -> None:
    """Write records into the session's partition of the deletions."""
    async with open_publisher(topics) as publisher:
        for key, value, headers in records:
            await publisher.write(DELETIONS, session.session_id, key, value, headers)


async def is_refused(server: Served, session: Made) -> bool:
    path = f"/v1/sessions/{session.session_id}/audio"
    answer = await server.http.post(path, content=frame(0), params={"token": session.write_token})
    return answer.status_code == 410


async def test_the_command_asks_before_it_deletes(served: Served, topics: Settings) -> None:
    made = await served.make()

    async def run(*options: str, answer: str = "") -> Result:
        command = ["delete", made.session_id, "--url", served.url, "--token", made.write_token, *options]
        return await asyncio.to_thread(lambda: CliRunner().invoke(app, command, input=answer))

    refused = await run(answer="n\n")
    assert (refused.exit_code, await read_deletions(topics)) == (1, {})
    done = await run("--yes")
    assert done.exit_code == 0, done.output
    assert "by 20" in done.output
    assert list(await read_deletions(topics)) == [made.session_id]
