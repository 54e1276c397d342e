"""The terminal's lines of statistics say what the pages say."""

import pytest

from undertone.commands.history import running_line, trend_line


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        ((0, 0, 0), "Positive: 0 (0 %) / Neutral: 0 (0 %) / Negative: 0 (0 %)"),
        ((12, 3, 5), "Positive: 12 (60 %) / Neutral: 3 (15 %) / Negative: 5 (25 %)"),
        ((1, 7, 0), "Positive: 1 (13 %) / Neutral: 7 (88 %) / Negative: 0 (0 %)"),
        ((1, 1, 1), "Positive: 1 (33 %) / Neutral: 1 (33 %) / Negative: 1 (33 %)"),
    ],
)
def test_shares_are_rounded_with_halves_up(counts: tuple[int, int, int], line: str) -> None:
    assert running_line(dict(zip(("positive", "neutral", "negative"), counts, strict=True))) == line


@pytest.mark.parametrize(
    ("trend", "words"), [(0.305, "Trend: +0.30,"), (-0.2, "Trend: -0.20,"), (None, "Trend: none,")]
)
def test_the_trend_carries_its_sign_or_says_why_there_is_none(trend: float | None, words: str) -> None:
    assert trend_line(trend).startswith(words)
