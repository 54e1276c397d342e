"""How many records with little or no audio a session may write: a token bucket per session. Pure; time is passed in.

Audio is paced by its length (``ingest_api.pace``). A start, a gap, a stop, a repeated chunk or a few samples have no
length to speak of, but each costs as much to store and to read as a second of audio.
"""

from dataclasses import dataclass

BURST_RECORDS = 40
RECORDS_PER_S = 2.0
FORGET_EVERY_MS = 60_000.0


@dataclass(slots=True)
class _Bucket:
    records: float
    at_ms: float


class RecordBudget:
    """The buckets of this process, one per session. A full one is forgotten."""

    def __init__(self, burst_records: int = BURST_RECORDS, records_per_s: float = RECORDS_PER_S) -> None:
        self._burst_records = burst_records
        self._records_per_ms = records_per_s / 1000
        self._buckets: dict[str, _Bucket] = {}
        self._forgot_at_ms = 0.0

    def take(self, session_id: str, now_ms: float) -> float:
        """Count one record and return 0, or return the milliseconds until there is room for one; monotonic time."""
        self._forget(now_ms)
        bucket = self._buckets.setdefault(session_id, _Bucket(self._burst_records, now_ms))
        bucket.records, bucket.at_ms = self._records_at(bucket, now_ms), now_ms
        if bucket.records < 1:
            return (1 - bucket.records) / self._records_per_ms
        bucket.records -= 1
        return 0.0

    def __len__(self) -> int:
        """How many sessions are kept in mind."""
        return len(self._buckets)

    def _records_at(self, bucket: _Bucket, now_ms: float) -> float:
        gained = max(0.0, now_ms - bucket.at_ms) * self._records_per_ms
        return min(self._burst_records, bucket.records + gained)

    def _forget(self, now_ms: float) -> None:
        if now_ms - self._forgot_at_ms < FORGET_EVERY_MS:
            return
        self._forgot_at_ms = now_ms
        self._buckets = {
            session_id: bucket
            for session_id, bucket in self._buckets.items()
            if self._records_at(bucket, now_ms) < self._burst_records
        }
