"""Counts what an attacker sent and which answers it got. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

COMMONEST = 6


@dataclass
class Tally:
    """One attacker's counts.

    ``answers`` counts HTTP answers (``"429 too_many_sessions"``), WebSocket closes (``"4409 taken_over"``) and failures
    without an answer (``"ConnectionResetError"``). ``acknowledged`` counts the requests, messages or files that the
    server accepted. ``busy_s`` is CPU time of the attacker's own processes.
    """

    answers: Counter[str] = field(default_factory=Counter)
    sent_bytes: int = 0
    received_bytes: int = 0
    acknowledged: int = 0
    connections: int = 0
    busy_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The counts as JSON values; ``from_json`` reads them back."""
        return vars(self)

    @staticmethod
    def from_json(given: Mapping[str, Any]) -> "Tally":
        """The tally that ``as_json`` wrote."""
        return Tally(**{**given, "answers": Counter(given["answers"])})


def add_tallies(tallies: Iterable[Tally]) -> Tally:
    """The sum of the tallies of several processes of one attacker."""
    total = Tally()
    for tally in tallies:
        total.answers.update(tally.answers)
        total.sent_bytes += tally.sent_bytes
        total.received_bytes += tally.received_bytes
        total.acknowledged += tally.acknowledged
        total.connections += tally.connections
        total.busy_s += tally.busy_s
    return total


def tally_table(tallies: Mapping[str, Tally]) -> list[str]:
    """A table with one row for each attacker."""
    rows = [
        "| attacker | answers | accepted | connections | sent, MB | received, MB | its CPU, s |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, tally in tallies.items():
        common = tally.answers.most_common(COMMONEST)
        others = sum(tally.answers.values()) - sum(count for _, count in common)
        answers = ", ".join(f"{answer} ({count:,})" for answer, count in common) or "none"
        counts = f"{tally.acknowledged:,} | {tally.connections:,}"
        megabytes = f"{tally.sent_bytes / 1e6:,.1f} | {tally.received_bytes / 1e6:,.1f}"
        more = f", others ({others:,})" if others else ""
        rows.append(f"| {name} | {answers}{more} | {counts} | {megabytes} | {tally.busy_s:.1f} |")
    return rows
