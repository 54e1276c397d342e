"""The audio WebSocket under recorders that do anything in any order: real app, real wires, real Kafka.

The model knows three things: what was acknowledged, what was sent, and which jumps were declared. However a recorder
behaves, the log then holds what was acknowledged, nothing that was not sent, each sample once, and no jump that nobody
declared. Samples hold their own position, so that a lost, doubled or misplaced one shows.
"""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any, cast

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, Phase
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from ingest_api.record_budget import BURST_RECORDS, RECORDS_PER_S
from tests.ingest_serving import START, Served, frame, heard, pcm, read_log, serve_ingest, tell
from undertone.bootstrap import apply_topics
from undertone.kafka import open_publisher
from undertone.records import Close, Gap, Open
from undertone.settings import Settings

ANSWER_S = 60  # far beyond what a busy machine takes: a step that fails in one run alone cannot be repeated
SHORT_SAMPLES = 320
LONGEST_SAMPLES = 16_000
SURE_GAP = 78_000  # below five seconds, which a gap may always reach
CREDITS = 10
FUTURE = 57_600_000

NONSENSE = {
    "not json": "message_not_json",
    '{"type":"song"}': "message_unknown",
    "[]": "message_unknown",
    '{"type":"gap"}': "message_invalid",
    '{"type":"gap","next_sample":-1}': "message_invalid",
    '{"type":"gap","next_sample":57600000}': "gap_too_long",
    '{"type":"start","sample_rate":16000,"encoding":"pcm_s16le"}': "already_started",
    " " * 5000: "message_too_large",
}
BAD_FRAMES = {
    b"": "frame_without_header",
    bytes(7): "frame_without_header",
    bytes(8): "frame_too_small",
    bytes(9): "frame_odd",
    bytes(8 + 2 * LONGEST_SAMPLES + 2): "frame_too_big",
    struct.pack("<Q", 2**64 - 1) + bytes(640): "jump",
}


class Recorder(RuleBasedStateMachine):
    """One session, and the sockets of its recorder. ``sent`` and ``told`` are of the current one, as samples."""

    def __init__(self, portal: BlockingPortal, served: Served, settings: Settings) -> None:
        super().__init__()
        self._portal, self._served, self._settings = portal, served, settings
        self._made = portal.call(served.make)
        path = f"/v1/sessions/{self._made.session_id}/audio?token={self._made.write_token}"
        self._address = served.url.replace("http", "ws", 1) + path
        self._began_s = time.monotonic()
        self._wires = ExitStack()
        self.wire: ClientConnection | None = None
        self.stale: list[ClientConnection] = []
        self.acknowledged = self.furthest = self.sent = self.told = 0
        self.declared: list[tuple[int, int]] = []
        # Audio, but not where a jump was declared before it was sent: what was given up once stays so.
        self.pending: list[tuple[int, int]] = []  # sent on the current wire
        self.certain: list[tuple[int, int]] = []  # acknowledged
        self.credits = CREDITS

    @initialize()
    def begin(self) -> None:
        self._open(0)

    @rule(back=st.integers(0, 5000), keep_old=st.booleans())
    def come_back(self, back: int, keep_old: bool) -> None:
        """Again, from what is acknowledged or from before it; the old socket may still be there, as if half open."""
        self._leave(keep_old=keep_old)
        self._open(max(0, self.acknowledged - back))

    @precondition(lambda self: self.furthest + 3000 <= SURE_GAP)
    @rule(jump=st.integers(1, 3000))
    def come_back_having_lost_some(self, jump: int) -> None:
        self._leave(keep_old=False)
        self.declared.append((self.acknowledged, self.furthest + jump))
        self._open(self.furthest + jump)

    @rule(way=st.sampled_from(["start", "audio", "stop"]))
    def jump_into_the_future(self, way: str) -> None:
        """By another wire or by HTTP: refused, and nobody is taken over by it."""
        if way == "start":
            with connect(self._address, proxy=None, open_timeout=ANSWER_S) as other:
                other.send(json.dumps(START | {"next_sample": FUTURE}))
                assert json.loads(other.recv(ANSWER_S))["code"] == "gap_too_long"
            return
        assert self._portal.call(self._post_into_the_future, way).json()["code"] == "gap_too_long"

    async def _post_into_the_future(self, way: str) -> httpx.Response:
        if way == "audio":
            return await self._served.post(self._made, "audio", frame(FUTURE))
        return await self._served.post(self._made, "stop", next_sample=FUTURE)

    @precondition(lambda self: self.acknowledged > SHORT_SAMPLES)
    @rule(times=st.integers(1, 30))
    def repeat_over_http(self, times: int) -> None:
        """What the log holds is answered, or refused for a while, and takes nobody over."""
        for _ in range(times):
            answer = self._portal.call(
                self._served.post, self._made, "audio", frame(0, min(self.acknowledged, 160_000))
            )
            assert answer.status_code == 200 or answer.json()["code"] == "too_many_records"

    @precondition(lambda self: self.wire)
    @rule(samples=st.integers(SHORT_SAMPLES, LONGEST_SAMPLES), overlap=st.integers(0, 4000))
    def send_frame(self, samples: int, overlap: int) -> None:
        """The next audio, or some that overlaps what was sent, perhaps with nothing new."""
        self._send_audio(max(0, self.sent - overlap), samples)

    @precondition(lambda self: self.wire)
    @rule(samples=st.integers(1, SHORT_SAMPLES - 1), times=st.integers(1, 6))
    def send_tiny_frames(self, samples: int, times: int) -> None:
        for _ in range(times):
            if self.wire is not None:
                self._send_audio(self.sent, samples)

    @precondition(lambda self: self.wire)
    @rule(jump=st.integers(1, 100_000))
    def jump_without_a_word(self, jump: int) -> None:
        self._write(frame(self.sent + jump, 1600))
        self._expect_refusal("jump")

    @precondition(lambda self: self.wire)
    @rule(to=st.integers(0, SURE_GAP))
    def declare_gap(self, to: int) -> None:
        if to > self.sent and to - self.sent < SHORT_SAMPLES and self._is_spent():
            return
        self._write(json.dumps({"type": "gap", "next_sample": to}))
        if to > self.sent:
            self.declared.append((self.sent, to))
            self._reach(to)

    @precondition(lambda self: self.wire)
    @rule(text=st.sampled_from(sorted(NONSENSE)))
    def talk_nonsense(self, text: str) -> None:
        self._write(text)
        self._expect_refusal(NONSENSE[text])

    @precondition(lambda self: self.wire)
    @rule(data=st.sampled_from(sorted(BAD_FRAMES)))
    def send_bad_frame(self, data: bytes) -> None:
        self._write(data)
        self._expect_refusal(BAD_FRAMES[data])

    @precondition(lambda self: self.wire)
    @rule()
    def ping(self) -> None:
        self._write('{"type":"ping"}')
        self._read_until("pong")

    @precondition(lambda self: self.stale)
    @rule(samples=st.integers(SHORT_SAMPLES, LONGEST_SAMPLES))
    def the_old_socket_speaks(self, samples: int) -> None:
        """Another sound at the same place: the new connection is in the log already, so none of it may be heard."""
        with suppress(ConnectionClosed, OSError):
            self.stale[-1].send(struct.pack("<Q", self.acknowledged) + bytes(2 * samples))

    @precondition(lambda self: self.wire and self.pending)
    @rule()
    def wait_for_acknowledgements(self) -> None:
        while self.told < self.sent:
            self._read_until("ack")

    def teardown(self) -> None:
        if self.wire is not None:
            self._stop()
        self._leave(keep_old=False)
        for wire in self.stale:
            _cut(wire)
        self._wires.close()
        log = asyncio.run(read_log(self._settings, self._made.session_id))
        small = sum(isinstance(record, Open | Gap) for record in log)
        assert small <= BURST_RECORDS + RECORDS_PER_S * (time.monotonic() - self._began_s) + 2
        samples, gaps = heard(log)
        at, parts = 0, []
        for first, end in [*gaps, (-1, -1)]:
            length = first - at if first >= 0 else len(samples) // 2
            parts.append((at, at + length))
            assert samples[: 2 * length] == pcm(at, length), f"from {at} on it is not what was sent"
            samples, at = samples[2 * length :], (end if end >= 0 else at + length)
        reached = max([end for _, end in gaps] + [end for _, end in parts])
        assert self.acknowledged <= reached <= self.furthest
        for first, end in self.certain:
            assert any(low <= first and end <= high for low, high in parts), f"{first} to {end} was acknowledged"
        for first, end in gaps:
            assert any(low <= first and end <= high for low, high in self.declared), f"nobody declared {first} to {end}"

    def _open(self, at: int) -> None:
        self.wire = self._wires.enter_context(connect(self._address, proxy=None, open_timeout=ANSWER_S))
        self._write(json.dumps(START | {"next_sample": at}))
        self.pending, self.credits = [], CREDITS
        self.sent = self.told = at
        self.furthest = max(self.furthest, at)
        assert self._read_until("ready")["next_sample"] == at

    def _send_audio(self, at: int, samples: int) -> None:
        end = at + samples
        new = end - self.sent
        if (new if new > 0 else samples) < SHORT_SAMPLES and self._is_spent():
            self._write(frame(at, samples))
            self._expect_refusal("frame_too_small")
            return
        if new >= SHORT_SAMPLES:
            self.credits = min(CREDITS, self.credits + 1)
        self._write(frame(at, samples))
        if new > 0:
            self.pending += _without((self.sent, end), self.declared)
            self._reach(end)

    def _is_spent(self) -> bool:
        self.credits -= 1
        return self.credits < 0

    def _reach(self, sample: int) -> None:
        self.sent = sample
        self.furthest = max(self.furthest, sample)

    def _stop(self) -> None:
        self._write('{"type":"stop"}')
        end = self.sent

        async def end_it() -> None:
            while not isinstance((await read_log(self._settings, self._made.session_id))[-1], Close):
                await asyncio.sleep(0.05)
            async with open_publisher(self._settings) as transcriber:
                done = {"state": "ended", "reason": "stop", "through": end, "seq": 1}
                await tell(transcriber, self._made.session_id, **done)

        asyncio.run(asyncio.wait_for(end_it(), ANSWER_S))
        assert self._read_until("finished")["samples"] == end
        self._acknowledge(end)

    def _write(self, message: str | bytes) -> None:
        assert self.wire is not None
        self.wire.send(message)

    def _read_until(self, kind: str) -> dict[str, Any]:
        assert self.wire is not None
        while True:
            message: dict[str, Any] = json.loads(self.wire.recv(ANSWER_S))
            if message["type"] == "ack":
                self._acknowledge(message["next_sample"])
            if message["type"] == kind:
                return message
            assert message["type"] in {"ack", "status", "pong"}, message

    def _acknowledge(self, sample: int) -> None:
        assert self.told <= sample <= self.sent, "an ack goes forward, and not beyond what was sent"
        self.told, self.acknowledged = sample, max(self.acknowledged, sample)
        self.certain += [part for part in self.pending if part[1] <= sample]
        self.pending = [part for part in self.pending if part[1] > sample]

    def _expect_refusal(self, code: str) -> None:
        assert self._read_until("error")["code"] == code
        self._leave(keep_old=False)

    def _leave(self, *, keep_old: bool) -> None:
        if self.wire is not None and keep_old:
            self.stale.append(self.wire)
        elif self.wire is not None:
            _cut(self.wire)
        self.wire, self.pending, self.sent = None, [], 0


def _without(part: tuple[int, int], others: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What is left of ``part``."""
    left = [part]
    for low, high in others:
        left = [piece for first, end in left for piece in ((first, min(end, low)), (max(first, high), end))]
        left = [(first, end) for first, end in left if first < end]
    return left


def _cut(wire: ClientConnection) -> None:
    """No goodbye: the wire ends, and what is on its way to us is answered with a reset."""
    with suppress(OSError):
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wire.socket.shutdown(socket.SHUT_RDWR)
    wire.recv_events_thread.join(ANSWER_S)


@contextmanager
def serving(settings: Settings) -> Iterator[tuple[BlockingPortal, Served]]:
    """The ingest app in a thread of its own."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(serve_ingest(settings)) as served:
        yield portal, served


def test_whatever_recorders_do_the_log_holds_what_was_acknowledged(settings: Settings) -> None:
    asyncio.run(apply_topics(settings))
    with serving(settings) as (portal, served):
        run_state_machine_as_test(
            cast("type[Recorder]", partial(Recorder, portal, served, settings)),
            settings=examples(
                max_examples=25,
                stateful_step_count=30,
                derandomize=True,
                deadline=None,
                database=None,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            ),
        )
