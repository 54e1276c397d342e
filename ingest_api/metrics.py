"""What the write side counts (docs/operating.md explains each)."""

from prometheus_client import Counter, Gauge

REFUSED = Counter(
    "undertone_sessions_refused_total", "New sessions and files refused because there is too much to hear"
)
BACKLOG = Gauge("undertone_ingest_backlog_seconds", "Seconds of audio that nobody has heard yet, as ingest knows it")
