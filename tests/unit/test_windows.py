"""Windows from finals and marks, against a plain recomputation from all of them; and repeats."""

from hypothesis import given, settings
from hypothesis import strategies as st

from stream_apps.windows import SIZES_MS, apply
from tests.examples import SESSION_ID, mark, utterance
from undertone.audio import to_ms
from undertone.events import Label, Mark, Statistics, Suppression, Utterance, Window

LABELS: list[Label | None] = ["positive", "neutral", "negative", None]
SUPPRESSED: list[Suppression | None] = [None, None, None, "no_speech"]


@st.composite
def sessions(draw: st.DrawFn) -> list[Utterance | Mark]:
    """Finals and marks in order; each utterance begins at or after the boundary before it."""
    events: list[Utterance | Mark] = []
    at_ms = 0
    for seq in range(1, draw(st.integers(1, 15)) + 1):
        at_ms += draw(st.one_of(st.integers(0, 15_000), st.just(-at_ms % 10_000)))
        if draw(st.booleans()):
            length_ms = draw(st.integers(160, 28_000))
            text = " ".join(["word"] * draw(st.integers(0, 40)))
            loudness_dbfs = draw(st.integers(-600, 0)) / 10
            label, suppressed = draw(st.sampled_from(LABELS)), draw(st.sampled_from(SUPPRESSED))
            events.append(
                utterance(
                    seq,
                    at_ms,
                    at_ms + length_ms,
                    label if suppressed is None else None,
                    text=text,
                    suppressed=suppressed,
                    loudness_dbfs=loudness_dbfs,
                )
            )
            at_ms += length_ms
        else:
            at_ms += 1
            events.append(mark(seq, at_ms))
    return [*events, mark(len(events) + 1, at_ms, "stop")]


def run(events: list[Utterance | Mark]) -> dict[tuple[int, int], Window]:
    statistics, stored = Statistics(session_id=SESSION_ID), {}
    for event in events:
        statistics, changed = apply(statistics, event)
        stored.update({(window.size_ms, window.start_ms): window for window in changed})
    return stored


@settings(max_examples=150, deadline=None)
@given(sessions())
def test_every_window_equals_a_recomputation_from_the_utterances(events: list[Utterance | Mark]) -> None:
    stored = run(events)
    length_ms = to_ms(events[-1].through)
    said = [event for event in events if isinstance(event, Utterance) and event.quality.suppressed is None]
    expected = {(0, 0)} | {(size, start) for size in SIZES_MS for start in range(0, length_ms, size)}
    assert set(stored) == expected
    for (size_ms, start_ms), window in stored.items():
        end_ms = start_ms + size_ms if size_ms else length_ms + 1
        here = [final for final in said if start_ms <= final.start_ms < end_ms]
        judged = [final.sentiment for final in here if final.sentiment]
        talk_ms = sum(max(0, min(end_ms, final.end_ms) - max(start_ms, final.start_ms)) for final in said)
        spoken_ms = sum(final.end_ms - final.start_ms for final in here)
        covered_ms = min(end_ms, length_ms) - start_ms
        assert window.final
        assert window.utterances == len(here)
        assert [window.positive, window.neutral, window.negative] == [
            sum(sentiment.label == label for sentiment in judged) for label in LABELS[:3]
        ]
        assert (window.talk_ms, window.silence_ms) == (talk_ms, covered_ms - talk_ms)
        if judged:
            mean = sum(sentiment.score for sentiment in judged) / len(judged)
            assert window.score is not None
            assert abs(window.score - mean) <= 0.00005 + 1e-9
        else:
            assert window.score is None
        if spoken_ms:
            words = sum(len(final.text.split()) for final in here)
            assert window.words_per_minute == round(words * 60_000 / spoken_ms)
            loudness = sum(final.loudness_dbfs * (final.end_ms - final.start_ms) for final in here) / spoken_ms
            assert window.loudness_dbfs is not None
            assert abs(window.loudness_dbfs - loudness) <= 0.05 + 1e-9


@settings(max_examples=50, deadline=None)
@given(sessions(), st.data())
def test_repeats_and_a_restart_at_any_point_change_nothing(events: list[Utterance | Mark], data: st.DataObject) -> None:
    back = data.draw(st.integers(0, len(events)))
    again = data.draw(st.integers(0, back))
    assert run([*events[:back], *events[again:back], *events[back:]]) == run(events)


def test_a_window_is_final_once_the_session_is_heard_past_it() -> None:
    statistics, _ = apply(Statistics(session_id=SESSION_ID), utterance(1, 500, 9_999))
    _, changed = apply(statistics, mark(2, 10_000))
    assert {(window.size_ms, window.start_ms): window.final for window in changed} == {
        (0, 0): False,
        (10_000, 0): True,
        (60_000, 0): False,
    }
