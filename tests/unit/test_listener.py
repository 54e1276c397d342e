"""The transcriber's pure core: admission, boundaries, settling. What a crash, a split or a repeat must not change."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.speech.segmenter import Segmenter, SegmentRules
from stream_apps.conversation import Conversation
from stream_apps.listener import Boundary, Entry, Ignored, Opened
from stream_apps.minutes import take_mark
from tests.voices import LoudnessVoice, TiringVoice
from undertone.events import Session
from undertone.identifiers import make_session_id
from undertone.records import Audio, AudioRecord, Close, Gap, Open

SESSION_ID = make_session_id(1_790_000_000_000, 7)
FIRST_OFFSET = 10
RULES = SegmentRules(
    endpoint=4096, pre_roll=1536, hang_over=700, longest=20_480, cut_within=8192, voiced=1024, mark=16_384
)


def new_session() -> Session:
    return Session(session_id=SESSION_ID, created_at=datetime.fromtimestamp(1_790_000_000, UTC))


def entries_of(log: list[AudioRecord]) -> list[Entry]:
    return [Entry(offset, 1_790_000_000_000 + offset, record) for offset, record in enumerate(log, FIRST_OFFSET)]


Output = tuple[str, int, int, int, str | None]


def transcribe(
    entries: list[Entry],
    crashes: frozenset[int] = frozenset(),
    voice: type[LoudnessVoice] = LoudnessVoice,
    held_back: int = 0,
) -> tuple[list[Output], Session, set[int]]:
    """Run the log as the transcriber does. Before each entry in ``crashes`` all but the stored record is lost.

    It then reads on at the first record that is not settled, or ``held_back`` records before it, as where a record of
    another session is not settled; and hears again what lies behind.
    """
    stored = new_session()
    outputs: list[Output] = []
    settled: set[int] = set()
    conversation = Conversation(stored, voice, RULES)
    todo = list(entries)
    crashed: set[int] = set()
    while todo:
        entry = todo[0]
        if entry.offset in crashes and entry.offset not in crashed:
            crashed.add(entry.offset)
            conversation = Conversation(stored, voice, RULES)
            unsettled = next(n for n, again in enumerate(entries) if again.offset not in settled)
            todo = entries[max(0, unsettled - held_back) :]
            continue
        todo.pop(0)
        outcome = conversation.hear(entry)
        if isinstance(outcome, Ignored):
            settled.add(entry.offset)
        settled |= set(conversation.take_superseded())
        if isinstance(outcome, Opened):
            stored = outcome.session
            conversation.show(outcome)
        boundary = outcome if isinstance(outcome, Boundary) else None
        while boundary:
            speech = boundary.speech
            outputs.append(
                (
                    "speech" if speech else "mark",
                    speech.start if speech else 0,
                    speech.end if speech else 0,
                    boundary.session.through,
                    boundary.ended,
                )
            )
            stored = take_mark(boundary).session
            done = conversation.settle(stored)
            settled |= set(done.offsets)
            boundary = done.boundary
    return outputs, stored, settled


def sound(*parts: tuple[str, int]) -> bytes:
    """PCM of (``loud`` or ``quiet``, samples) parts; loud parts rise and fall, so that there is a quietest place."""
    pieces = []
    for kind, samples in parts:
        wave = np.sin(np.arange(samples) / 3) * (12_000 if kind == "loud" else 10)
        pieces.append((wave * (1 - 0.2 * np.sin(np.arange(samples) / 900))).astype("<i2"))
    return np.concatenate(pieces).tobytes()


def split(pcm: bytes, sizes: list[int], connection: str = "a", at: int = 0) -> list[AudioRecord]:
    records: list[AudioRecord] = []
    position = 0
    total = len(pcm) // 2
    turn = 0
    while position < total:
        size = min(sizes[turn % len(sizes)], total - position)
        records.append(Audio(SESSION_ID, connection, at + position, pcm[position * 2 : (position + size) * 2]))
        position += size
        turn += 1
    return records


OPEN = Open(SESSION_ID, "a", 0)
PARTS = st.lists(st.tuples(st.sampled_from(["loud", "quiet"]), st.integers(300, 24_000)), min_size=1, max_size=6)
SIZES = st.lists(st.integers(160, 9000), min_size=1, max_size=5)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(PARTS, SIZES, SIZES)
def test_any_split_of_the_same_samples_gives_the_same_utterances(
    parts: list[tuple[str, int]], one: list[int], other: list[int]
) -> None:
    pcm = sound(*parts)
    end = Close(SESSION_ID, "a", len(pcm) // 2, "stop")
    first, _, _ = transcribe(entries_of([OPEN, *split(pcm, one), end]))
    second, _, _ = transcribe(entries_of([OPEN, *split(pcm, other), end]))
    assert first == second


Log = list[AudioRecord]
OPENINGS = st.builds(
    Open,
    session_id=st.just(SESSION_ID),
    connection=st.just(""),
    at=st.just(0),
    language=st.sampled_from([None, None, "en", "ko"]),
    started_at_ms=st.sampled_from([None, 1_790_000_000_000, 1_790_000_001_000]),
    title=st.sampled_from([None, "one", "two"]),
    tags=st.sampled_from([(), ("a",), ("b", "c")]),
)


def reopened(openings: list[Open], name: str, at: int, stray: Audio) -> Log:
    """One recorder after the other, each with a record of the first behind it."""
    connections = [f"{name}-{number}" for number in range(len(openings))]
    pairs = zip(openings, connections, strict=True)
    return [record for opening, name in pairs for record in (replace(opening, connection=name, at=at), stray)]


@st.composite
def logs(draw: st.DrawFn) -> tuple[Log, Log]:
    """A log with reconnections, repeats, jumps, strays of old connections and gaps, and the same without trouble."""
    log: Log = [OPEN]
    clean: Log = [OPEN]
    connection, at = "a", 0
    opened = FIRST_OFFSET  # the offset of the current connection's ``Open``, see ``entries_of``
    again = 0  # samples that the next frames send again; what they hold differs, and must not count
    for number in range(draw(st.integers(1, 5))):
        pcm = sound(*draw(PARTS))
        log += split(sound(("loud", again)) + pcm if again else pcm, draw(SIZES), connection, at - again)
        clean.append(Audio(SESSION_ID, "a", at, pcm))
        at += len(pcm) // 2
        again = 0
        kinds = [
            "none",
            "repeat",
            "jump",
            "gap",
            "gaps",
            "resume",
            "resumes",
            "resume-gap",
            "late",
            "late-between",
            "stray",
        ]
        trouble = draw(st.sampled_from(kinds))
        stray = Audio(SESSION_ID, connection, at, sound(("loud", 3000)))
        gap = draw(st.integers(1, 9000)) if "gap" in trouble else 0
        cuts = draw(st.sets(st.integers(1, gap), max_size=4)) if trouble == "gaps" else set[int]()
        gaps = [Gap(SESSION_ID, "a", at + first, at + end) for first, end in pairwise(sorted({0, *cuts, gap}))]
        clean += gaps
        match trouble:
            case "repeat":
                back = min(at, draw(st.integers(1, 4000)))
                log.append(Audio(SESSION_ID, connection, at - back, sound(("loud", back))))
            case "jump":
                log.append(Audio(SESSION_ID, connection, at + 1, sound(("loud", 3000))))
            case "gap" | "gaps":
                log += [replace(one, connection=connection) for one in gaps]
            case "resumes":  # one recorder after the other, and nothing that counts between them
                log += reopened(draw(st.lists(OPENINGS, min_size=2, max_size=4)), f"r{number}", at, stray)
                connection, opened = log[-2].connection, 10 + len(log) - 2
            case "resume" | "resume-gap":
                connection = f"c{number}"
                again = 0 if gap else draw(st.integers(0, min(at, 3000)))
                seen = draw(st.sampled_from([None, opened + 1, FIRST_OFFSET + len(log)]))
                opened = FIRST_OFFSET + len(log)
                log += [Open(SESSION_ID, connection, at - again + gap, language="en", seen=seen), stray]
            case "late":  # its handshake came before that of the current connection
                late, seen = f"l{number}", draw(st.integers(0, opened))
                log += [
                    Open(SESSION_ID, late, draw(st.integers(0, at + 9000)), language="en", seen=seen),
                    Audio(SESSION_ID, late, at, stray.pcm),
                    Gap(SESSION_ID, late, at, at + 4000),
                    Close(SESSION_ID, late, at, "stop"),
                ]
            case "stray":
                log += [Audio(SESSION_ID, "nobody", at, stray.pcm), Close(SESSION_ID, "nobody", at, "stop")]
        at += gap
    if draw(st.booleans()):
        log += [Close(SESSION_ID, connection, at, "stop"), Audio(SESSION_ID, connection, at, sound(("loud", 3000)))]
        clean.append(Close(SESSION_ID, "a", at, "stop"))
    return log, clean


@QUICK
@given(logs())
def test_trouble_on_the_wire_changes_nothing_of_what_is_heard(both: tuple[Log, Log]) -> None:
    log, clean = both
    assert transcribe(entries_of(log))[0] == transcribe(entries_of(clean))[0]


@QUICK
@given(logs(), st.sets(st.integers(10, 200), max_size=6), st.integers(0, 3))
def test_crashes_anywhere_change_no_output_and_no_record(
    both: tuple[Log, Log], crashes: set[int], held_back: int
) -> None:
    """With a voice that remembers for long: what it heard before a boundary must count for nothing behind it."""
    entries = entries_of(both[0])
    undisturbed = transcribe(entries, voice=TiringVoice)
    disturbed = transcribe(entries, frozenset(crashes), TiringVoice, held_back)
    assert disturbed[0] == undisturbed[0]
    assert disturbed[1] == undisturbed[1]


@QUICK
@given(logs())
def test_utterances_never_overlap_and_boundaries_only_move_forward(both: tuple[Log, Log]) -> None:
    log, _ = both
    outputs, session, settled = transcribe(entries_of(log))
    through = 0
    for kind, start, end, boundary, _ in outputs:
        if kind == "speech":
            assert through <= start < end <= boundary
        assert boundary >= through
        through = boundary
    assert session.seq == len(outputs)
    assert all(entry.offset in settled for entry in entries_of(log) if entry.offset < session.resume.offset)


def test_a_void_start_between_two_others_stays_void_when_the_first_is_not_read_again() -> None:
    """A record of another session keeps the offset behind the first from being committed with those that follow."""
    pcm = sound(("quiet", 3000), ("loud", 8000), ("quiet", 9000))
    first = FIRST_OFFSET + 1
    starts = [
        Open(SESSION_ID, "b", 0, seen=first),
        Open(SESSION_ID, "late", 9000, seen=first),
        Open(SESSION_ID, "c", 0, seen=first + 1),
    ]
    entries = entries_of([OPEN, *starts, *split(pcm, [1600], "c")])
    undisturbed = transcribe(entries)
    for crash in range(first, first + 6):
        for held_back in range(4):
            assert transcribe(entries, frozenset({crash}), held_back=held_back)[:2] == undisturbed[:2]


def test_speech_over_a_reconnection_stays_one_utterance() -> None:
    pcm = sound(("quiet", 3000), ("loud", 8000), ("quiet", 9000))
    whole = split(pcm, [1600])
    cut = [*split(pcm[:14_000], [1600]), Open(SESSION_ID, "b", 6400), *split(pcm[12_800:], [1600], "b", 6400)]
    assert transcribe(entries_of([OPEN, *cut]))[0] == transcribe(entries_of([OPEN, *whole]))[0]
    assert next(kind for kind, *_ in transcribe(entries_of([OPEN, *whole]))[0]) == "speech"


def test_a_gap_ends_the_utterance_and_moves_through_over_it() -> None:
    log = [OPEN, *split(sound(("loud", 6000)), [1000]), Gap(SESSION_ID, "a", 6000, 50_000)]
    outputs, session, settled = transcribe(entries_of(log))
    assert outputs == [("speech", 0, 6000, 6000, None), ("mark", 0, 0, 50_000, None)]
    assert session.through == 50_000
    assert settled == {entry.offset for entry in entries_of(log)}


def kept_at_most(log: Log, rules: SegmentRules = RULES) -> tuple[int, int]:
    """How many records are ever unsettled at a time, and how many boundaries the log brings."""
    stored, most, boundaries = new_session(), 0, 0
    conversation = Conversation(stored, LoudnessVoice, rules)
    settled: set[int] = set()
    for number, entry in enumerate(entries_of(log), 1):
        outcome = conversation.hear(entry)
        settled |= {entry.offset} if isinstance(outcome, Ignored) else set()
        settled |= set(conversation.take_superseded())
        if isinstance(outcome, Opened):
            conversation.show(outcome)
        boundary = outcome if isinstance(outcome, Boundary) else None
        while boundary:
            boundaries += 1
            done = conversation.settle(take_mark(boundary).session)
            settled |= set(done.offsets)
            boundary = done.boundary
        most = max(most, number - len(settled))
    return most, boundaries


def test_openings_behind_which_nothing_is_heard_are_settled_by_the_next() -> None:
    """Whoever opens again and again, over HTTP or a wire, leaves no more behind than the last one."""
    opens: Log = [
        Open(SESSION_ID, f"c{number}", 0, ["ko", None, None][number % 3], title=f"title {number % 2}")
        for number in range(1000)
    ]
    assert kept_at_most(opens) == (2, 0)


def test_a_language_outlives_the_opening_that_gave_it_and_a_crash() -> None:
    log: Log = [Open(SESSION_ID, "", 0, "ko"), OPEN, replace(OPEN, connection="b"), Close(SESSION_ID, "b", 0, "stop")]
    for crash in range(10, 14):
        _, session, _ = transcribe(entries_of(log), frozenset({crash}))
        assert (session.language, session.state) == ("ko", "ended")


def test_an_opening_that_shows_nothing_new_is_not_shown_again() -> None:
    conversation = Conversation(new_session(), LoudnessVoice, RULES)
    first, *others = entries_of([Open(SESSION_ID, f"c{number}", 0) for number in range(3)])
    opened = conversation.hear(first)
    assert isinstance(opened, Opened)
    conversation.show(opened)
    assert [conversation.hear(other) for other in others] == [None, None]


def test_speech_behind_a_small_gap_begins_where_it_was_said() -> None:
    pcm = sound(("loud", 6000), ("quiet", 6000))
    for before in (sound(("quiet", 3000)), b""):
        at = len(before) // 2
        log = [OPEN, *split(before, [1600]), Gap(SESSION_ID, "a", at, 9000), *split(pcm, [1600], at=9000)]
        (_, start, end, _, _), *_ = transcribe(entries_of(log))[0]
        assert start == 9000
        assert 15_000 <= end <= 15_000 + 512 + RULES.hang_over


def test_small_gaps_bring_no_more_boundaries_than_silence() -> None:
    """A gap of 20 ms, 50 times a second; behind another gap, and behind as much silence."""
    at, gaps, mixed = 0, Log(), Log()
    for _ in range(500):
        gaps.append(Gap(SESSION_ID, "a", at, at + 320))
        mixed += [
            Audio(SESSION_ID, "a", 2 * at, sound(("quiet", 320))),
            Gap(SESSION_ID, "a", 2 * at + 320, 2 * at + 640),
        ]
        at += 320
    for log, length in ((gaps, at), (mixed, 2 * at)):
        assert kept_at_most([OPEN, *log])[1] <= length // RULES.mark + 1
        assert kept_at_most([OPEN, *log])[0] <= 2 * RULES.mark // 320 + 2


def test_a_gap_behind_a_record_that_was_never_written_swallows_nothing() -> None:
    """A produce fails, and the gap that followed it is in the log: its recorder comes again with what is missing."""
    pcm, gap = sound(("loud", 6000)), Gap(SESSION_ID, "a", 6000, 50_000)
    whole = [OPEN, *split(pcm, [1000]), gap]
    again = [Open(SESSION_ID, "b", 4000), *split(pcm[8000:], [1000], "b", 4000), replace(gap, connection="b")]
    torn = [OPEN, *split(pcm[:8000], [1000]), gap, *again]
    assert transcribe(entries_of(torn))[0] == transcribe(entries_of(whole))[0]


def test_long_speech_is_cut_at_its_quietest_place_and_goes_on_from_there() -> None:
    pcm = sound(("loud", 15_000)) + sound(("quiet", 1600)) + sound(("loud", 15_000), ("quiet", 6000))
    outputs, _, _ = transcribe(entries_of([OPEN, *split(pcm, [1600])]))
    (_, start, end, through, _), (_, second_start, second_end, _, _) = outputs
    assert start == 0
    assert end == through == second_start
    assert 15_000 <= end <= 16_600
    assert second_end > 31_000


def test_an_idle_close_is_reopened_by_audio_but_a_stop_is_not() -> None:
    quiet = sound(("quiet", 1600))
    for reason, state in (("idle", "live"), ("stop", "ended")):
        log: list[AudioRecord] = [OPEN, Audio(SESSION_ID, "a", 0, quiet)]
        log += [Close(SESSION_ID, "a", 1600, reason)]  # type: ignore[arg-type]
        log += [Open(SESSION_ID, "b", 1600), *split(sound(("quiet", 40_000)), [1600], "b", 1600)]
        _, session, _ = transcribe(entries_of(log))
        assert session.state == state


def test_a_clock_that_is_out_of_its_mind_is_not_believed() -> None:
    for started_at_ms in (-62_135_647_200_001, 253_402_350_000_000, 253_402_300_799_000):
        log: Log = [replace(OPEN, started_at_ms=started_at_ms), *split(sound(("loud", 6000), ("quiet", 6000)), [1600])]
        outputs, session, _ = transcribe(entries_of(log))
        assert session.started_at is None
        assert outputs


def test_a_stale_idle_close_is_ignored() -> None:
    log: list[AudioRecord] = [OPEN, Audio(SESSION_ID, "a", 0, sound(("quiet", 1600)))]
    for stale in (Close(SESSION_ID, "a", 1599, "idle"), Close(SESSION_ID, "z", 1600, "idle")):
        _, session, _ = transcribe(entries_of([*log, stale]))
        assert session.state == "live"


def test_an_opening_is_shown_at_once_and_its_language_counts_from_the_next_boundary() -> None:
    conversation = Conversation(new_session(), LoudnessVoice, RULES)
    created, joined = entries_of([Open(SESSION_ID, "", 0, title="Call"), Open(SESSION_ID, "a", 0, language="ko")])
    outcome = conversation.hear(created)
    assert isinstance(outcome, Opened)
    assert (outcome.session.state, outcome.session.title) == ("open", "Call")
    conversation.show(outcome)
    outcome = conversation.hear(joined)
    assert isinstance(outcome, Opened)
    assert (outcome.session.state, outcome.session.language) == ("live", None)
    conversation.show(outcome)
    boundary = conversation.hear(replace(joined, offset=12, record=Close(SESSION_ID, "a", 0, "stop")))
    assert isinstance(boundary, Boundary)
    assert (boundary.session.language, boundary.session.state, boundary.ended) == ("ko", "ended", "stop")


def test_speech_that_crosses_a_boundary_goes_on_from_it_however_softly() -> None:
    soft_then_loud = [0.4] * 20 + [0.9] * 10
    for speaking, start in ((True, 5000), (False, 5000 + 20 * 512 - RULES.pre_roll)):
        segmenter = Segmenter(5000, lambda frames: soft_then_loud[: len(frames)], RULES, speaking=speaking)
        assert segmenter.feed(np.zeros(30 * 512, np.int16)) is None
        ongoing = segmenter.ongoing()
        assert ongoing is not None
        assert ongoing.start == start


def test_hours_of_silence_and_of_sound_without_a_pause_keep_no_more_than_one_stretch() -> None:
    rules, second = SegmentRules(), 16_000
    for voice, stretch in (
        (lambda frames: [0.0] * len(frames), rules.mark),
        (lambda frames: [1.0] * len(frames), rules.longest),
    ):
        conversation = Conversation(new_session(), lambda voice=voice: voice, rules)  # type: ignore[misc]
        log: Log = [OPEN, *(Audio(SESSION_ID, "a", number * second, bytes(2 * second)) for number in range(3600))]
        most = 0
        for entry in entries_of(log):
            outcome = conversation.hear(entry)
            boundary = outcome if isinstance(outcome, Boundary) else None
            while boundary:
                boundary = conversation.settle(take_mark(boundary).session).boundary
            most = max(most, sum(isinstance(kept.record, Audio) for kept in conversation._kept))
        assert most <= stretch / second + 2
        assert conversation.session.through > 3570 * second
