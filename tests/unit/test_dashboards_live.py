"""What a viewer is sent while nothing and while something happens, without a network."""

import asyncio
import gc
import json
import weakref
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dashboards import shared_snapshots
from dashboards.encoded import PIECE_BYTES, EncodedSnapshot, encode
from dashboards.hub import Hub
from dashboards.positions import read_position, write_position
from dashboards.responses import Blocks
from dashboards.snapshots import Snapshot
from dashboards.streams import Pace, Streams, live_events
from tests.storage_events import partial, session, session_id, utterance, window
from tests.waiting import until
from undertone.errors import Refusal
from undertone.events import Deletion

UTTERANCES, WINDOWS, DELETIONS = 2, 3, 4
AT_ONCE = Pace(rotate_s=0.0, rotate_jitter_s=0.0)
START = dict.fromkeys(range(5), 0)


def ids(chunk: bytes) -> list[str]:
    return [line.removeprefix("id: ") for line in chunk.decode().splitlines() if line.startswith("id: ")]


def good() -> None:
    """A credential that stays good."""


def dropped() -> None:
    raise Refusal("key_unknown", "there is no such key", status=401)


@pytest.mark.parametrize("waiting", [0, 3])
async def test_a_stream_ends_when_what_opened_it_opens_no_more(waiting: int) -> None:
    """Whether nothing is said, or so much that something always waits to be sent."""
    hub = Hub(1, (0, 0, 0, 0, 0))
    viewer = await hub.attach(None, START)
    now_s, checks = 0.0, 0

    def clock() -> float:
        nonlocal now_s
        now_s += 1.0
        return now_s

    def check() -> None:
        nonlocal checks
        checks += 1
        if checks == 2:
            dropped()

    sent = 0
    for seq in range(waiting):
        hub.add(UTTERANCES, seq, utterance(seq=seq + 1), 0, 0)
    async for _ in live_events(hub, viewer, Blocks(), Pace(clock=clock, check_s=5.0, heartbeat_s=0.0), check):
        sent += 1
        if waiting:
            hub.add(UTTERANCES, waiting + sent, utterance(seq=waiting + sent + 1), 0, 0)
        assert sent < 100
    assert checks == 2
    assert now_s < 30


async def test_a_final_that_comes_while_the_last_heartbeat_is_sent_is_not_skipped() -> None:
    hub = Hub(1, (0, 0, 0, 0, 0))
    viewer = await hub.attach(None, START)
    sending = live_events(hub, viewer, Blocks(), AT_ONCE, good)
    assert (await anext(sending)).startswith(b"event: heartbeat\n")
    hub.add(UTTERANCES, 0, utterance(seq=1), 0, 0)
    (last,) = [sent async for sent in sending]
    assert [read_position(found, 5) for found in ids(last)] == [(0, 0, 0, 0, 0)]


async def test_what_waits_goes_in_one_piece() -> None:
    hub = Hub(1, (0, 0, 0, 0, 0))
    viewer = await hub.attach(None, START)
    for seq in (1, 2):
        hub.add(UTTERANCES, seq - 1, utterance(seq=seq), 0, 0)
        hub.add(WINDOWS, seq - 1, window(seq=seq, start_ms=seq), 0, 0)
    piece = await anext(live_events(hub, viewer, Blocks(), AT_ONCE, good))
    assert ids(piece) == [
        write_position(at) for at in ((0, 0, 1, 0, 0), (0, 0, 1, 1, 0), (0, 0, 2, 1, 0), (0, 0, 2, 2, 0))
    ]


async def test_a_block_is_made_once_for_a_position_and_what_lies_ready_is_bounded() -> None:
    hub = Hub(1, (0, 0, 0, 0, 0))
    viewer = await hub.attach(None, START)
    for seq in range(1, 4):
        hub.add(UTTERANCES, seq - 1, utterance(seq=seq), 0, 0)
    first, second, third = iter(viewer.pop, None)
    blocks = Blocks(keep_bytes=2000)
    made = blocks.of(first, first.head)
    assert blocks.of(first, first.head) is made
    assert blocks.of(first, (0, 0, 1, 5, 0)) != made
    for entry in (second, third):
        blocks.of(entry, entry.head)
    again = blocks.of(first, first.head)
    assert again == made
    assert again is not made


async def test_viewers_who_come_together_share_a_snapshot_and_one_that_leaves_takes_it_from_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = 0
    go_on = asyncio.Event()

    async def stored(*_: Any) -> Snapshot:
        nonlocal made
        made += 1
        await go_on.wait()
        return Snapshot(complete=True, start=START)

    monkeypatch.setattr(shared_snapshots, "stored_snapshot", stored)
    nothing = cast("Any", None)
    snapshots = shared_snapshots.SharedSnapshots(nothing, nothing)
    hub = Hub(1, (0, 0, 0, 0, 0))
    coming = [asyncio.create_task(snapshots.get(hub, name)) for name in (None, None, None, "a", "a")]
    await until(lambda: made == 2, 5)
    coming[0].cancel()
    await asyncio.wait(coming[:1])
    go_on.set()
    first, second, *of_one = await asyncio.gather(*coming[1:])
    assert first is second
    assert of_one[0] is of_one[1] is not first
    assert await snapshots.get(hub, None) is not first
    assert made == 3


async def test_many_who_ask_at_once_and_take_nothing_get_no_more_snapshots_than_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def stored(*_: Any) -> Snapshot:
        return Snapshot(complete=True, start=START, utterances=[utterance(seq=1)])

    monkeypatch.setattr(shared_snapshots, "stored_snapshot", stored)
    monkeypatch.setattr(shared_snapshots, "MOST_KEPT_BYTES", 5000)
    nothing = cast("Any", None)
    snapshots = shared_snapshots.SharedSnapshots(nothing, nothing)
    hub = Hub(1, (0, 0, 0, 0, 0))
    asked = [snapshots.get(hub, str(number)) for number in range(100)]
    got = await asyncio.gather(*asked, return_exceptions=True)  # what is got is kept by those who asked
    given = [one for one in got if isinstance(one, EncodedSnapshot)]
    refused = [one for one in got if isinstance(one, Refusal)]
    assert len(given) + len(refused) == 100
    assert 0 < sum(one.size_bytes for one in given) < 5000 + shared_snapshots.AT_A_TIME * given[0].size_bytes
    assert {one.code for one in refused} == {"too_many_viewers"}


async def test_the_stream_of_a_session_ends_when_it_is_told_that_it_is_deleted() -> None:
    """Also where the deletion comes in the moment in which something else is being sent."""
    hub = Hub(1, (0, 0, 0, 0, 0))
    viewer = await hub.attach(session_id(), START)
    hub.add(UTTERANCES, 0, utterance(seq=1), 0, 0)
    sending = live_events(hub, viewer, Blocks(), Pace(), good)
    assert b"event: utterance\n" in await anext(sending)
    gone = Deletion(session_id=session_id(), requested_at=datetime(2026, 1, 2, tzinfo=UTC), requested_by="me")
    hub.add(DELETIONS, 0, gone, 0, 0)
    (last,) = [sent async for sent in sending]
    assert b"event: session\n" in last
    assert b'"state":"deleted"' in last


async def test_a_snapshot_in_pieces_is_the_snapshot_without_what_is_gone_or_void() -> None:
    finals = [utterance(number, seq, text="가나다 \u2028 words " * 300) for number in (1, 2) for seq in range(1, 60)]
    windows = [window(number, start_ms=10_000 * place) for place in range(150) for number in (1, 2)]
    encoded = await encode(
        Snapshot(
            complete=True,
            start=START,
            sessions=[session(1), session(2), session(3, state="ended", reason="stop")],
            utterances=finals,
            windows=windows,
            through={session_id(1): 10_000_000},
        )
    )
    assert max(len(piece.data) for piece in encoded.utterances) <= PIECE_BYTES
    changing = [partial(1, first_sample=0), partial(1, first_sample=10_000_000), partial(2, first_sample=10**8)]
    changing.append(partial(3, first_sample=10**8))

    def written(gone: str = "") -> Any:
        return json.loads(b"".join(encoded.pieces(changing, lambda name: name == gone, complete=True)))

    def form(events: list[Any]) -> list[Any]:
        return [event.model_dump(mode="json", exclude={"resume"}) for event in events]

    sessions = [session(1), session(2), session(3, state="ended", reason="stop")]
    assert written() == {
        "type": "snapshot",
        "complete": True,
        "more": False,
        "sessions": form(sessions),
        "utterances": form(finals),
        "windows": form(windows),
        "partials": form(changing[1:3]),
    }
    assert written(gone=session_id(1)) == {
        "type": "snapshot",
        "complete": True,
        "more": False,
        "sessions": form(sessions[1:]),
        "utterances": form([final for final in finals if final.session_id != session_id(1)]),
        "windows": form([each for each in windows if each.session_id != session_id(1)]),
        "partials": form(changing[2:3]),
    }


async def test_a_viewer_who_watches_does_not_keep_what_it_began_with() -> None:
    nothing = cast("Any", None)
    follower = cast("Any", SimpleNamespace(why_not_ready=lambda: None))
    streams = Streams(nothing, nothing, follower, Pace(heartbeat_s=60))
    hub = Hub(1, (0, 0, 0, 0, 0))
    encoded = await encode(Snapshot(complete=True, start=START, sessions=[session()]))
    kept = weakref.ref(encoded)
    sending = streams._events(hub, session_id(), None, encoded, good)
    del encoded
    first = await anext(sending)
    assert first.startswith(b"id: ")
    assert b"event: snapshot\ndata: {" in first
    assert first.endswith(b"}\n\n")
    hub.add(UTTERANCES, 0, utterance(seq=1), 0, 0)
    assert b"event: utterance\n" in await anext(sending)
    gc.collect()
    assert kept() is None
    assert len(hub.viewers) == 1
    await sending.aclose()  # type: ignore[attr-defined]
    assert not hub.viewers
