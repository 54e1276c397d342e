"""The audio connection as pure values: what it lets through, and each refusal by its code."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_api.connection import SHORT_FRAMES, Connection, Phase
from ingest_api.limits import Limits
from ingest_api.messages import DeclaredGap, Ping, Start, Stop, parse_message
from undertone.errors import Refusal
from undertone.records import Audio, AudioRecord, Close, Gap, Open

SESSION = "0193a5b0-0000-7000-8000-000000000000"
CREATED_MS = 1_700_000_000_000
SECOND = 16_000
FRAME = 1600


def connection(ended_at: int | None = None, expected: int = 0) -> Connection:
    return Connection(SESSION, "a", Limits(), CREATED_MS, ended_at=ended_at, expected=expected)


def start(next_sample: int = 0, **changes: object) -> Start:
    given_fields: dict[str, object] = {"sample_rate": 16_000, "encoding": "pcm_s16le", "next_sample": next_sample}
    return Start.model_validate(given_fields | changes)


def started(next_sample: int = 0) -> Connection:
    made = connection(expected=next_sample)
    made.take(start(next_sample), CREATED_MS)
    return made


def frame(at: int, samples: int = FRAME) -> bytes:
    """A frame in which each sample holds its own position, modulo 2**15."""
    return struct.pack("<Q", at) + struct.pack(f"<{samples}h", *((at + i) % 32768 for i in range(samples)))


def refused(made: Connection, message: Start | DeclaredGap | Stop | Ping | bytes, now_ms: int = CREATED_MS) -> str:
    with pytest.raises(Refusal) as caught:
        made.take(message, now_ms)
    assert 4400 <= caught.value.close_code < 4600
    return caught.value.code


def test_start_opens_with_what_the_recorder_said() -> None:
    opened = connection().take(start(320, language="ko", started_at="2026-01-01T00:00:00Z"), CREATED_MS)
    assert opened == Open(SESSION, "a", 320, "ko", 1_767_225_600_000)


def test_a_language_that_no_model_knows_is_refused() -> None:
    assert refused(connection(), start(language="xx")) == "language_unknown"


def test_overlap_is_trimmed_and_repeats_are_dropped() -> None:
    made = started()
    made.take(frame(0), CREATED_MS)
    assert made.take(frame(0), CREATED_MS) is None
    rest = made.take(frame(800), CREATED_MS)
    assert isinstance(rest, Audio)
    assert (rest.at, rest.end) == (1600, 2400)
    assert rest.pcm == frame(1600, 800)[8:]


def test_an_undeclared_jump_is_refused() -> None:
    assert refused(started(), frame(1)) == "jump"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "frame_without_header"),
        (b"1234567", "frame_without_header"),
        (frame(0, 0), "frame_too_small"),
        (frame(0) + b"x", "frame_odd"),
        (frame(0, SECOND + 1), "frame_too_big"),
        (frame(2**63, FRAME), "jump"),
    ],
)
def test_a_bad_frame_has_its_own_refusal(data: bytes, code: str) -> None:
    assert refused(started(), data) == code


def test_frames_from_20_ms_to_a_second_are_taken_without_end() -> None:
    made = started()
    for _ in range(100):
        assert made.take(frame(made.next_sample, 320), CREATED_MS)
    assert made.take(frame(made.next_sample, SECOND), CREATED_MS)


def test_the_last_frame_may_be_short_but_not_all_of_them() -> None:
    made = started()
    made.take(frame(0), CREATED_MS)
    assert made.take(frame(FRAME, 1), CREATED_MS) == Audio(SESSION, "a", FRAME, frame(FRAME, 1)[8:])
    for _ in range(SHORT_FRAMES - 1):
        made.take(frame(made.next_sample, 1), CREATED_MS)
    assert refused(made, frame(made.next_sample, 1)) == "frame_too_small"


def test_a_million_overlapping_frames_do_not_become_a_million_records() -> None:
    made = started()
    made.take(frame(0, 320), CREATED_MS)
    for _ in range(SHORT_FRAMES):
        made.take(frame(made.next_sample - 319, 320), CREATED_MS)
    assert refused(made, frame(made.next_sample - 319, 320)) == "frame_too_small"


def test_tiny_frames_that_are_known_cost_what_others_cost() -> None:
    made = started()
    made.take(frame(0), CREATED_MS)
    for _ in range(SHORT_FRAMES):
        assert made.take(frame(0, 1), CREATED_MS) is None
    assert refused(made, frame(0, 1)) == "frame_too_small"


def test_tiny_gaps_cost_what_tiny_frames_cost() -> None:
    made = started()
    for _ in range(SHORT_FRAMES):
        made.take(DeclaredGap(next_sample=made.next_sample + 1), CREATED_MS)
    assert refused(made, DeclaredGap(next_sample=made.next_sample + 1)) == "frame_too_small"


def test_a_gap_reaches_at_most_five_seconds_beyond_now() -> None:
    now_ms = CREATED_MS + 10_000
    assert started().take(DeclaredGap(next_sample=15 * SECOND), now_ms) == Gap(SESSION, "a", 0, 15 * SECOND)
    assert refused(started(), DeclaredGap(next_sample=15 * SECOND + 1), now_ms) == "gap_too_long"


def test_a_start_beyond_the_log_is_a_gap() -> None:
    now_ms = CREATED_MS + 10_000
    assert connection().take(start(15 * SECOND), now_ms)
    assert refused(connection(), start(15 * SECOND + 1), now_ms) == "gap_too_long"
    assert connection(expected=3600 * SECOND).take(start(3600 * SECOND), now_ms)
    assert refused(connection(expected=3600 * SECOND), start(3600 * SECOND + 1), now_ms) == "gap_too_long"
    assert connection(ended_at=FRAME).take(start(3600 * SECOND), now_ms) is None


def test_the_slack_of_a_gap_cannot_be_had_twice() -> None:
    made = started()
    made.take(DeclaredGap(next_sample=5 * SECOND), CREATED_MS)
    assert refused(made, DeclaredGap(next_sample=6 * SECOND)) == "gap_too_long"


def test_a_late_backlog_with_a_pause_in_it_is_taken() -> None:
    made, now_ms = started(), CREATED_MS + 30_000
    made.take(frame(0, SECOND), now_ms)
    assert made.take(DeclaredGap(next_sample=30 * SECOND), now_ms)


def test_a_gap_that_is_known_changes_nothing() -> None:
    made = started(FRAME)
    assert made.take(DeclaredGap(next_sample=FRAME), CREATED_MS) is None
    assert made.next_sample == FRAME


def test_nothing_comes_before_start() -> None:
    assert refused(connection(), frame(0)) == "start_missing"
    assert refused(connection(), DeclaredGap(next_sample=1)) == "start_missing"
    assert refused(connection(), Stop()) == "start_missing"
    assert connection().take(Ping(), CREATED_MS) is None


def test_a_second_start_is_refused() -> None:
    assert refused(started(), start()) == "already_started"


def test_other_formats_are_refused_with_the_remedy() -> None:
    assert refused(connection(), start(sample_rate=48_000)) == "sample_rate_unsupported"
    assert refused(connection(), start(encoding="opus")) == "encoding_unsupported"


def test_a_session_has_an_end() -> None:
    longest = Limits().max_session_samples
    assert refused(connection(), start(longest + 1)) == "session_full"
    assert refused(started(longest - 1), frame(longest - 1)) == "session_full"
    assert refused(started(), DeclaredGap(next_sample=longest + 1), CREATED_MS + 10**9) == "session_full"


def test_stop_closes_once_and_nothing_follows() -> None:
    made = started()
    made.take(frame(0), CREATED_MS)
    assert made.take(Stop(), CREATED_MS) == Close(SESSION, "a", FRAME, "stop")
    assert made.take(Stop(), CREATED_MS) is None
    assert refused(made, frame(FRAME)) == "stopped"
    assert made.phase is Phase.STOPPED


def test_a_stopped_session_takes_a_resume_up_to_its_end() -> None:
    made = connection(ended_at=FRAME)
    assert made.take(start(800), CREATED_MS) is None
    assert made.next_sample == FRAME
    assert made.take(frame(800, 800), CREATED_MS) is None
    assert made.take(Stop(), CREATED_MS) is None
    assert refused(connection(ended_at=FRAME), frame(0)) == "start_missing"


def test_a_stopped_session_takes_nothing_new() -> None:
    made = connection(ended_at=FRAME)
    made.take(start(FRAME), CREATED_MS)
    assert refused(made, frame(FRAME)) == "session_ended"
    assert refused(made, DeclaredGap(next_sample=2 * FRAME)) == "session_ended"


def test_stop_may_be_the_first_word_to_a_stopped_session() -> None:
    assert connection(ended_at=FRAME).take(Stop(), CREATED_MS) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "message_not_json"),
        ("RIFF....", "message_not_json"),
        ("[" * 4000, "message_not_json"),
        ("[]", "message_unknown"),
        ("null", "message_unknown"),
        ('{"type":["start"]}', "message_unknown"),
        ('{"type":"sing"}', "message_unknown"),
        ('{"type":"start"}', "message_invalid"),
        ('{"type":"start","sample_rate":16000,"encoding":"pcm_s16le","next_sample":-1}', "message_invalid"),
        ('{"type":"start","sample_rate":16000,"encoding":"pcm_s16le","language":"Klingon"}', "message_invalid"),
        ('{"type":"start","sample_rate":1,"encoding":"","started_at":"2026-01-01T00:00:00"}', "message_invalid"),
        ('{"type":"start","sample_rate":1,"encoding":"","started_at":"9999-12-31T23:59:59-14:00"}', "message_invalid"),
        ('{"type":"start","sample_rate":1,"encoding":"","started_at":"0001-01-01T00:00:00+14:00"}', "message_invalid"),
        ('{"type":"gap","next_sample":1e400}', "message_invalid"),
        ('{"type":"ping","pad":"' + "x" * 5000 + '"}', "message_too_large"),
    ],
)
def test_a_bad_text_frame_has_its_own_refusal(text: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse_message(text)
    assert caught.value.code == code


def test_unknown_fields_are_ignored() -> None:
    assert parse_message('{"type":"gap","next_sample":3,"mood":"good"}') == DeclaredGap(next_sample=3)


MESSAGES = st.one_of(
    st.tuples(st.integers(0, 6000), st.integers(1, 2000)).map(lambda pair: frame(*pair)),
    st.integers(0, 6000).map(lambda to: DeclaredGap(next_sample=to)),
    st.binary(max_size=40),
    st.just(Ping()),
    st.just(Stop()),
)


@given(begin=st.integers(0, 100), messages=st.lists(MESSAGES, max_size=40))
def test_what_is_let_through_is_contiguous_and_was_sent(
    begin: int, messages: list[bytes | DeclaredGap | Ping | Stop]
) -> None:
    """Refused messages do not end the connection here, so that more is tried than a real one would see."""
    made = started(begin)
    expected, published = begin, list[AudioRecord]()
    for message in messages:
        try:
            record = made.take(message, CREATED_MS)
        except Refusal:
            continue
        if record is None:
            continue
        published.append(record)
        assert record.at == expected
        if isinstance(record, Audio):
            if isinstance(message, bytes) and len(message) > 40:
                assert record.pcm == frame(record.at, record.end - record.at)[8:]
            expected = record.end
        elif isinstance(record, Gap):
            expected = record.to
        assert made.next_sample == expected
    closes = [index for index, record in enumerate(published) if isinstance(record, Close)]
    assert closes in ([], [len(published) - 1])


@given(
    cuts=st.lists(st.integers(320, 4000), min_size=1, max_size=20),
    resends=st.lists(st.integers(0, 3000), min_size=1, max_size=20),
)
def test_a_recorder_that_resends_at_will_is_heard_exactly_once(cuts: list[int], resends: list[int]) -> None:
    made, heard = started(), bytearray()
    for index, size in enumerate(cuts):
        at = max(0, made.next_sample - resends[index % len(resends)])
        try:
            record = made.take(frame(at, size), CREATED_MS)
        except Refusal:
            break
        if isinstance(record, Audio):
            heard += record.pcm
    assert bytes(heard) == frame(0, made.next_sample)[8:]
