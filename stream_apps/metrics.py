"""What the workers count (docs/operating.md explains each)."""

from prometheus_client import Counter, Gauge, Histogram

FINALS = Counter("undertone_finals_total", "Final utterances given out", ["suppressed"])
JUDGEMENTS = Counter("undertone_judgements_total", "Finals judged, by label, and left unjudged, by reason", ["outcome"])
DECODES = Histogram(
    "undertone_decode_seconds",
    "Seconds of one replica for a decode, by what it was begun for",
    ["urgency"],
    buckets=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4),
)
DECODE_FAILURES = Counter("undertone_decode_failures_total", "Decodes that raised an error")
DEAD_LETTERS = Counter("undertone_dead_letters_total", "Records put aside", ["app"])
FINAL_DELAY = Histogram(
    "undertone_final_delay_seconds",
    "From the arrival of an utterance's last audio to its durable transcript",
    buckets=(0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300),
)
BACKLOG = Gauge("undertone_backlog_seconds", "Seconds of audio that wait to be heard or decoded")
SESSIONS = Gauge("undertone_sessions", "Sessions that this transcriber follows")
