"""What one recorder may send. These numbers are advertised with every session and every ``ready``."""

from dataclasses import asdict, dataclass

from undertone.audio import SAMPLE_RATE, SAMPLES_PER_MS
from undertone.settings import Settings

FRAME_HEADER_BYTES = 8
MAX_TEXT_BYTES = 4096
# A bound below the protocol: what uvicorn takes as one message at all. Frames that are too big, but below it, are
# refused with their own code.
WS_MAX_BYTES = 262_144
WS_MAX_QUEUE = 8

ENCODING = "pcm_s16le"


@dataclass(frozen=True)
class Limits:
    """The advertised limits; the names carry the units."""

    sample_rate: int = SAMPLE_RATE
    encoding: str = ENCODING
    min_frame_ms: int = 20
    max_frame_ms: int = 1000
    advised_frame_ms: int = 100
    max_chunk_ms: int = 10_000
    max_ahead_ms: int = 60_000
    max_gap_slack_ms: int = 5_000
    max_session_ms: int = 24 * 3_600_000
    max_file_megabytes: int = 200

    def body(self) -> dict[str, object]:
        """The JSON that ``POST /v1/sessions`` and ``ready`` carry."""
        return asdict(self)

    @property
    def min_frame_samples(self) -> int:
        """Samples of the shortest frame."""
        return self.min_frame_ms * SAMPLES_PER_MS

    @property
    def max_frame_samples(self) -> int:
        """Samples of the longest frame."""
        return self.max_frame_ms * SAMPLES_PER_MS

    @property
    def max_chunk_samples(self) -> int:
        """Samples of the longest chunk over HTTP."""
        return self.max_chunk_ms * SAMPLES_PER_MS

    @property
    def max_file_bytes(self) -> int:
        """Bytes of the largest file."""
        return self.max_file_megabytes * 1_000_000

    @property
    def max_session_samples(self) -> int:
        """Samples of the longest session."""
        return self.max_session_ms * SAMPLES_PER_MS


def limits_of(settings: Settings) -> Limits:
    """The limits under these settings. A session holds at most as much audio as its token lives."""
    return Limits(max_session_ms=settings.token_hours * 3_600_000, max_file_megabytes=settings.file_megabytes)
