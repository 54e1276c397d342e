"""One audio connection as a state machine: awaiting start, streaming, stopped. Pure; wall time is passed in.

What it lets through is contiguous: each sample once, in order, every jump declared. Rules for the odd cases:

- overlap is trimmed, and what is wholly known already is dropped without a word (a resume sends it again), though a
  short frame of it spends a credit like any other;
- a gap reaches at most to now, and so does a start beyond what the log holds (``ingest_api.jumps``);
- frames shorter than 20 ms and gaps shorter than 20 ms, such as the last ones before a stop or a pause, are taken while
  the connection has a credit for them: it starts with ten, one is spent on each, each full frame gives one back. So
  a recording may end anywhere, and a million tiny frames end as ``frame_too_small``;
- on a session that was stopped before, what lies below its end is known already and ``stop`` asks again for
  ``finished``; anything beyond is refused.
"""

import struct
from dataclasses import dataclass
from enum import Enum

from ingest_api.jumps import check_jump, latest_sample
from ingest_api.limits import ENCODING, FRAME_HEADER_BYTES, Limits
from ingest_api.messages import DeclaredGap, Message, Ping, Start, Stop
from undertone.audio import BYTES_PER_SAMPLE, SAMPLE_RATE, SAMPLES_PER_MS
from undertone.errors import Refusal
from undertone.languages import check_language
from undertone.records import Audio, AudioRecord, Close, Gap, Open

SHORT_FRAMES = 10


class Phase(Enum):
    """Where a connection is in its life."""

    AWAITING_START = "awaiting start"
    STREAMING = "streaming"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Frame:
    """A binary frame: samples from ``at`` on."""

    at: int
    pcm: bytes

    @property
    def samples(self) -> int:
        """How many samples the frame holds."""
        return len(self.pcm) // BYTES_PER_SAMPLE


def parse_frame(data: bytes, max_samples: int) -> Frame:
    """The frame in a binary message or an HTTP chunk of at most ``max_samples``. Raises ``Refusal``."""
    if len(data) < FRAME_HEADER_BYTES:
        raise Refusal(
            "frame_without_header",
            "a frame begins with the position of its first sample: 8 bytes, unsigned, little-endian",
            status=400,
        )
    pcm = data[FRAME_HEADER_BYTES:]
    if len(pcm) % BYTES_PER_SAMPLE:
        raise Refusal(
            "frame_odd", f"the frame ends inside a sample: {len(pcm)} bytes of 16-bit audio is odd", status=400
        )
    if not pcm:
        raise Refusal("frame_too_small", "the frame holds no audio: send 20 ms or more at a time", status=400)
    if len(pcm) > max_samples * BYTES_PER_SAMPLE:
        longest_ms = max_samples // SAMPLES_PER_MS
        raise Refusal(
            "frame_too_big", f"the frame holds more than {longest_ms} ms: cut it into smaller ones", status=413
        )
    return Frame(struct.unpack_from("<Q", data)[0], pcm)


class Connection:
    """The state of one connection. ``take`` changes it; every refusal is final for the connection.

    ``created_ms`` is when the session was made, Unix milliseconds. ``ended_at`` is the session's length in samples if
    it was stopped before this connection, else None. ``expected`` is the next sample of its log, ``seen`` is what its
    ``Open`` carries (``undertone.records``).
    """

    def __init__(
        self,
        session_id: str,
        connection_id: str,
        limits: Limits,
        created_ms: int,
        *,
        ended_at: int | None = None,
        expected: int = 0,
        seen: int | None = None,
    ) -> None:
        self.session_id = session_id
        self.connection_id = connection_id
        self.phase = Phase.AWAITING_START
        self.next_sample = ended_at or 0
        self._limits = limits
        self._created_ms = created_ms
        self._ended_at = ended_at
        self._expected = expected
        self._seen = seen
        self._short_frames_left = SHORT_FRAMES

    def take(self, message: Message | bytes, now_ms: int) -> AudioRecord | None:
        """What to write to the session's log for a control message or a binary frame, or None for nothing.

        Raises ``Refusal``; the connection then ends, and what it had let through before stays valid.
        """
        match message:
            case Start():
                return self._start(message, now_ms)
            case Ping():
                return None
            case Stop():
                return self._stop()
        if self.phase is Phase.AWAITING_START:
            raise Refusal("start_missing", "the first message is start: send it before audio and gaps", status=409)
        if self.phase is Phase.STOPPED:
            raise Refusal("stopped", "this connection said stop: nothing may follow", status=409)
        if isinstance(message, DeclaredGap):
            return self._gap(message.next_sample, now_ms)
        return self._audio(parse_frame(message, self._limits.max_frame_samples))

    def latest_sample(self, now_ms: int) -> int:
        """The latest sample that a gap may reach now."""
        return latest_sample(self._created_ms, now_ms, self._limits)

    def _start(self, start: Start, now_ms: int) -> Open | None:
        if self.phase is not Phase.AWAITING_START:
            raise Refusal("already_started", "this connection has started: a new start needs a new one", status=409)
        if start.sample_rate != SAMPLE_RATE:
            raise Refusal(
                "sample_rate_unsupported",
                f"audio is taken at {SAMPLE_RATE} Hz, not {start.sample_rate}: resample in the recorder",
                status=415,
            )
        if start.encoding != ENCODING:
            raise Refusal(
                "encoding_unsupported",
                f"audio is taken as {ENCODING}, mono, not {start.encoding[:40]!r}: convert in the recorder, "
                "or send a whole file to POST /v1/sessions/{id}/file",
                status=415,
            )
        check_language(start.language)
        self._check_room(start.next_sample)
        if self._ended_at is not None:
            self.phase = Phase.STREAMING
            return None
        check_jump(self._expected, start.next_sample, self.latest_sample(now_ms))
        self.phase = Phase.STREAMING
        self.next_sample = start.next_sample
        started_at_ms = None if start.started_at is None else round(start.started_at.timestamp() * 1000)
        return Open(
            self.session_id, self.connection_id, start.next_sample, start.language, started_at_ms, seen=self._seen
        )

    def _audio(self, frame: Frame) -> Audio | None:
        if frame.at > self.next_sample:
            raise Refusal(
                "jump",
                f"sample {self.next_sample} is expected and the frame starts at {frame.at}: "
                'if the audio between is lost, say so with {"type":"gap","next_sample":…}',
                status=409,
            )
        end = frame.at + frame.samples
        if end <= self.next_sample:
            if frame.samples < self._limits.min_frame_samples:
                self._spend_credit()
            return None
        self._check_not_ended()
        self._check_room(end)
        pcm = frame.pcm[(self.next_sample - frame.at) * BYTES_PER_SAMPLE :]
        self._account(end - self.next_sample)
        record = Audio(self.session_id, self.connection_id, self.next_sample, pcm)
        self.next_sample = end
        return record

    def _gap(self, to: int, now_ms: int) -> Gap | None:
        if to <= self.next_sample:
            return None
        self._check_not_ended()
        self._check_room(to)
        check_jump(self.next_sample, to, self.latest_sample(now_ms))
        if to - self.next_sample < self._limits.min_frame_samples:
            self._spend_credit()
        record = Gap(self.session_id, self.connection_id, self.next_sample, to)
        self.next_sample = to
        return record

    def _stop(self) -> Close | None:
        if self._ended_at is not None or self.phase is Phase.STOPPED:
            self.phase = Phase.STOPPED
            return None
        if self.phase is Phase.AWAITING_START:
            raise Refusal("start_missing", "the session still runs: send start, then stop", status=409)
        self.phase = Phase.STOPPED
        return Close(self.session_id, self.connection_id, self.next_sample, "stop")

    def _account(self, samples: int) -> None:
        if samples < self._limits.min_frame_samples:
            self._spend_credit()
        else:
            self._short_frames_left = min(SHORT_FRAMES, self._short_frames_left + 1)

    def _spend_credit(self) -> None:
        if self._short_frames_left == 0:
            raise Refusal(
                "frame_too_small",
                f"too many frames or gaps shorter than {self._limits.min_frame_ms} ms: "
                f"send {self._limits.advised_frame_ms} ms at a time",
                status=400,
            )
        self._short_frames_left -= 1

    def _check_not_ended(self) -> None:
        if self._ended_at is not None:
            raise Refusal(
                "session_ended", f"the session was stopped at sample {self._ended_at}: start a new one", status=409
            )

    def _check_room(self, sample: int) -> None:
        if sample > self._limits.max_session_samples:
            hours = self._limits.max_session_ms // 3_600_000
            raise Refusal(
                "session_full", f"a session holds at most {hours} hours of audio: start a new one", status=409
            )
