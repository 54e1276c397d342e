"""The topics: names, keys, clean-up and the one rule that places a record."""

from dataclasses import dataclass

from aiokafka.partitioner import murmur2

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
ROLL_MS = 10 * 60_000
MAX_RECORD_BYTES = 1_010_000
BATCH_BYTES = 100_000
"""What Kafka adds to a record, generously."""


@dataclass(frozen=True)
class Topic:
    """A topic and its settings. ``name`` is without the prefix; ``memory`` topics are read back by their writer.

    Kafka cleans up closed segments alone. Memories and what ``rolls`` close one every 10 minutes, the others after an
    eighth of the retention: a record is gone that much later than it says, at the latest. What is overwritten in a
    compacted topic is gone within about a day. ``max_bytes`` is what a record has at most, with key and
    headers.
    """

    name: str
    key: str
    holds: str
    retention_ms: int | None
    compact: bool = False
    memory: bool = False
    rolls: bool = False
    max_bytes: int = MAX_RECORD_BYTES

    def config(self, retention_ms: int | None = None) -> dict[str, str]:
        """The topic-level settings that Kafka is asked for."""
        keep_ms = retention_ms if retention_ms is not None else self.retention_ms
        policy = [*(["compact"] if self.compact else []), *(["delete"] if keep_ms is not None else [])]
        config = {"cleanup.policy": ",".join(policy), "message.timestamp.type": "CreateTime"}
        if keep_ms is not None:
            config["retention.ms"] = str(keep_ms)
            config["segment.ms"] = str(self.segment_ms(keep_ms))
        if self.memory:
            config["min.compaction.lag.ms"] = str(HOUR_MS)
        if self.max_bytes != MAX_RECORD_BYTES:
            config["max.message.bytes"] = str(self.max_bytes + BATCH_BYTES)
        if self.compact:
            config["max.compaction.lag.ms"] = str(DAY_MS)
        return config

    def segment_ms(self, retention_ms: int) -> int:
        """After how long a segment is closed, of a topic that keeps records for ``retention_ms``."""
        return ROLL_MS if self.memory or self.rolls else retention_ms // 8


AUDIO = Topic("audio", "session", "the log of a session: open, audio, gap, close", DAY_MS)
SESSIONS = Topic("sessions", "session", "the transcriber's memory: each session's state", 7 * DAY_MS, True, True)
PARTIALS = Topic("partials", "session", "text still changing", HOUR_MS)
TRANSCRIPTS = Topic("transcripts", "session", "final utterances and marks, in order", 7 * DAY_MS)
UTTERANCES = Topic("utterances", "utterance, or session-mark", "the same with sentiment", 7 * DAY_MS, True)
WINDOWS = Topic("windows", "session-size-start", "windowed statistics", 7 * DAY_MS, True)
STATISTICS = Topic("statistics", "session", "the statistician's memory: open windows", 7 * DAY_MS, True, True)
DELETIONS = Topic("deletions", "session", "who asked that a session be forgotten, when", None, True)
WORKERS = Topic("workers", "worker", "each worker's backlog, speed and model", DAY_MS, True, rolls=True)
DEAD_LETTERS = Topic(
    "dead-letters", "original", "records that cannot be processed, and why", 30 * DAY_MS, max_bytes=2 * MAX_RECORD_BYTES
)

TOPICS = (
    AUDIO,
    SESSIONS,
    PARTIALS,
    TRANSCRIPTS,
    UTTERANCES,
    WINDOWS,
    STATISTICS,
    DELETIONS,
    WORKERS,
    DEAD_LETTERS,
)


def min_insync_replicas(replicas: int) -> int:
    """How many of a topic's replicas must have a record before it is acknowledged: all but one, and at least one.

    So one broker may be away, and what was acknowledged survives the loss of any other, from three replicas on.
    """
    return max(1, replicas - 1)


def place(session_id: str, partitions: int) -> int:
    """The partition of a session's records in every topic: Kafka's Java default for the session id as key."""
    return (int(murmur2(session_id.encode())) & 0x7FFFFFFF) % partitions
