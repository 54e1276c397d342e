"""The hub's pure core: order, repeats, cuts and resumes, void partials, bounds."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.hub import EXPIRE_EVERY_MS, Hub
from dashboards.positions import Position, read_position, write_position
from dashboards.viewers import Entry, Viewer
from tests.storage_events import mark, partial, session, session_id, utterance, window
from undertone.events import Deletion, Event, Partial, Session, Utterance, Window
from undertone.identifiers import session_made_ms

SESSIONS, PARTIALS, UTTERANCES, WINDOWS, DELETIONS = range(5)
START: Position = (0, 0, 0, 0, 0)


def slot_of(event: Event) -> int:
    return {Session: SESSIONS, Partial: PARTIALS, Window: WINDOWS, Deletion: DELETIONS}.get(type(event), UTTERANCES)


class Log:
    """One partition of each topic, and hubs that read them in orders of their own."""

    def __init__(self) -> None:
        self.slots: tuple[list[Event], ...] = ([], [], [], [], [])

    def write(self, *events: Event) -> None:
        for event in events:
            self.slots[slot_of(event)].append(event)

    def feed(self, hub: Hub, slot: int, at_ms: int = 0) -> None:
        """The next record of a slot, if there is one."""
        offset = hub.head[slot]
        if offset < len(self.slots[slot]):
            hub.add(slot, offset, self.slots[slot][offset], at_ms, at_ms)

    def feed_all(self, hub: Hub, at_ms: int = 0) -> None:
        for slot in range(5):
            while hub.head[slot] < len(self.slots[slot]):
                self.feed(hub, slot, at_ms)

    def catch_up(self, hub: Hub, position: Position) -> None:
        """Feed a hub until it has reached the position: a viewer who comes from another waits for that."""
        while any(head < reached for head, reached in zip(hub.head, position, strict=True)):
            for slot in range(5):
                self.feed(hub, slot)


def new_hub(**bounds: int) -> Hub:
    return Hub(1, START, **bounds)


def follow(hub: Hub, position: Position = START, name: str | None = None) -> Viewer:
    return asyncio.run(hub.attach(name, dict(enumerate(position))))


def drain(viewer: Viewer) -> list[Entry]:
    return list(iter(viewer.pop, None))


def events(viewer: Viewer) -> list[Event]:
    return [entry.event for entry in drain(viewer)]


def story(finals: int, repeats: Sequence[int]) -> Log:
    """Sessions 1 and 2, each with ``finals``, windows and partials; some finals are given out again later."""
    log = Log()
    for seq in range(1, finals + 1):
        for number in (1, 2):
            first = (seq - 1) * 80_000
            log.write(partial(number, first, first + 1000), partial(number, first, first + 2000))
            log.write(utterance(number, seq), session(number, seq=seq, through=first + 48_000))
            log.write(window(number, seq=seq), window(number, 0, seq=seq))
        log.write(*(utterance(1, again) for again in repeats if again <= seq))
    return log


STEPS = st.lists(st.sampled_from(["s", "p", "u", "w", "read", "cut", "other"]), max_size=120)


@settings(max_examples=300, deadline=None)
@given(STEPS, STEPS, st.lists(st.integers(1, 4), max_size=3), st.booleans())
def test_cuts_and_resumes_lose_and_repeat_nothing(
    before: list[str], after: list[str], repeats: list[int], one: bool
) -> None:
    """A viewer who is cut anywhere, and resumes at either of two hubs that read in different orders."""
    log = story(6, repeats)
    hubs = [new_hub(), new_hub()]
    name = session_id(1) if one else None
    position: Position = START
    seen: list[Event] = []
    at = 0
    viewer = follow(hubs[0], position, name)

    def read_one() -> None:
        nonlocal position
        entry = viewer.pop()
        if entry is not None:
            seen.append(entry.event)
            found = read_position(write_position(viewer.position(entry.head)), 5)
            assert found is not None
            position = found

    for step in before + after:
        if step in "spuw":
            log.feed(hubs[at], "spuw".index(step))
            log.feed(hubs[1 - at], "wups".index(step))
        elif step == "read":
            read_one()
        else:
            hubs[at].detach(viewer)
            at = 1 - at if step == "other" else at
            viewer = follow(hubs[at], position, name)
    for hub in hubs:
        log.feed_all(hub)
    seen += events(viewer)

    for number in (1, 2):
        finals = [
            event.seq for event in seen if isinstance(event, Utterance) and event.session_id == session_id(number)
        ]
        wanted = list(range(1, 7)) if number == 1 or not one else []
        assert finals == wanted
        states = [event.seq for event in seen if isinstance(event, Session) and event.session_id == session_id(number)]
        assert states == wanted
    for size in (0, 10_000):
        last = [event for event in seen if isinstance(event, Window) and event.size_ms == size]
        assert last[-1].seq == 6


def deletion(number: int = 1) -> Deletion:
    return Deletion(session_id=session_id(number), requested_at=datetime(2026, 1, 2, tzinfo=UTC), requested_by="me")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(["s", "p", "u", "w", "d", "read", "cut", "other"]), max_size=150),
    st.booleans(),
    st.booleans(),
)
def test_whatever_is_read_when_nothing_of_a_deleted_session_is_shown(steps: list[str], one: bool, told: bool) -> None:
    """``told``: the transcriber's record says it too. A viewer gets the other session's finals all the same."""
    log = story(6, [])
    log.write(deletion(), *([deletion().forgotten(seq=7)] if told else []))
    hubs = [new_hub(), new_hub()]
    name = session_id(1) if one else None
    position = START
    seen: list[Event] = []
    at = 0
    viewer = follow(hubs[0], position, name)

    def check(hub: Hub) -> None:
        if not hub.is_deleted(session_id(1)):
            return
        shown = [event for event in hub.recent(session_id(1)) if event.state != "deleted"]  # type: ignore[union-attr]
        assert shown == []
        assert list(hub.partials(session_id(1))) == []
        assert hub.knows(session_id(1)) is None

    for step in [*steps, "s", "d", "read", "read"]:
        if step in "spuwd":
            log.feed(hubs[at], "spuwd".index(step))
            log.feed(hubs[1 - at], "dwups".index(step))
        elif step == "read":
            entry = viewer.pop()
            if entry is not None:
                is_gone = hubs[at].is_deleted(session_id(1)) and entry.event.session_id == session_id(1)
                assert not is_gone or entry.event.state == "deleted"  # type: ignore[union-attr]
                seen.append(entry.event)
                position = viewer.position(entry.head)
        else:
            hubs[at].detach(viewer)
            at = 1 - at if step == "other" else at
            log.catch_up(hubs[at], position)
            viewer = follow(hubs[at], position, name)
        for hub in hubs:
            check(hub)
    for hub in hubs:
        log.feed_all(hub)
        check(hub)
    seen += events(viewer)

    about = [event for event in seen if isinstance(event, Session) and event.session_id == session_id(1)]
    assert about[-1].state == "deleted"
    assert about[-1].title is None
    finals = [event.seq for event in seen if isinstance(event, Utterance) and event.session_id == session_id(2)]
    assert finals == ([] if one else list(range(1, 7)))


def test_a_quiet_hub_keeps_nothing_longer_than_a_busy_one() -> None:
    log, hub = story(3, ()), new_hub(keep_ms=1000)
    log.feed_all(hub, at_ms=5000)
    hub.expire(6000, None)
    assert list(hub.recent(None))
    hub.expire(6001, None)
    assert not list(hub.recent(None))
    assert hub.knows(session_id(1)) is not None


def test_nothing_of_a_session_past_the_retention_of_text_is_shown_or_kept() -> None:
    log, hub = story(3, ()), new_hub()
    log.feed_all(hub, at_ms=5000)
    viewer = follow(hub)
    made_ms = session_made_ms(session_id(1))
    hub.expire(5000, made_ms)
    assert not hub.is_hidden(session_id(1))
    hub.expire(5000, made_ms + EXPIRE_EVERY_MS)
    assert hub.is_hidden(session_id(1))
    assert not events(viewer)
    assert not list(hub.recent(None))
    assert not list(hub.partials(None))
    assert hub.knows(session_id(1)) is None
    assert hub.said(session_id(1), utterance(1, 1).utterance_id) is None
    log.write(utterance(1, 4), partial(1, 400_000, 400_100), session(1, seq=4), window(1, seq=4))
    log.feed_all(hub, at_ms=5000)
    assert not list(hub.recent(None))
    assert not list(hub.partials(None))


def test_what_waits_of_a_deleted_session_gives_its_room_back() -> None:
    hub = new_hub(max_bytes=40_000)
    viewer = follow(hub)
    for seq in range(1, 9):
        hub.add(UTTERANCES, 2 * seq, utterance(1, seq=seq, text="x" * 3000), 0, 0)
        hub.add(UTTERANCES, 2 * seq + 1, utterance(2, seq=seq), 0, 0)
    before = hub.missing(dict.fromkeys(range(5), 0))
    hub.add(DELETIONS, 0, deletion(), 0, 0)
    for seq in range(9, 12):
        hub.add(UTTERANCES, 2 * seq + 1, utterance(2, seq=seq), 0, 0)
    assert hub.missing(dict.fromkeys(range(5), 0)) == before  # nothing else was pushed out of the ring
    kept = events(viewer)
    assert [event.seq for event in kept if isinstance(event, Utterance)] == list(range(1, 12))
    assert {event.session_id for event in kept if isinstance(event, Utterance)} == {session_id(2)}


def test_a_repeated_final_is_dropped_by_seq() -> None:
    log = Log()
    log.write(utterance(seq=1), mark(seq=2), utterance(seq=1, text="again"), utterance(seq=2), utterance(seq=3))
    hub = new_hub()
    log.feed_all(hub)
    assert [event.seq for event in events(follow(hub)) if isinstance(event, Utterance)] == [1, 3]


def test_records_read_again_after_a_reconnect_are_dropped() -> None:
    hub = new_hub()
    viewer = follow(hub)
    for _ in range(2):
        hub.add(SESSIONS, 0, session(seq=1), 0, 0)
    assert len(events(viewer)) == 1


def test_records_that_hold_no_event_move_the_position() -> None:
    hub = new_hub()
    hub.add(UTTERANCES, 0, None, 0, 0)
    hub.add(UTTERANCES, 1, mark(), 0, 0)
    assert hub.head == (0, 0, 2, 0, 0)
    assert events(follow(hub)) == []


def test_partials_and_windows_keep_the_latest() -> None:
    hub = new_hub()
    viewer = follow(hub)
    log = Log()
    log.write(partial(rev=1), partial(rev=2), window(seq=1), window(seq=2), window(start_ms=10_000, seq=2))
    log.feed_all(hub)
    assert events(viewer) == [partial(rev=2), window(seq=2), window(start_ms=10_000, seq=2)]


def test_a_partial_is_void_once_a_boundary_passes_it() -> None:
    for voids in (
        utterance(seq=1),
        mark(through=1),
        session(seq=1, through=1),
        session(seq=1, state="ended", reason="stop"),
    ):
        hub = new_hub()
        viewer = follow(hub)
        hub.add(PARTIALS, 0, partial(first_sample=0), 0, 0)
        assert list(hub.partials(None)) == [partial(first_sample=0)]
        hub.add(slot_of(voids), 0, voids, 0, 0)
        hub.add(PARTIALS, 1, partial(first_sample=0, rev=99_999), 0, 0)
        assert list(hub.partials(None)) == []
        if voids.type != "mark":
            assert events(viewer) == [voids]
        assert [event for event in events(follow(hub)) if isinstance(event, Partial)] == []


def test_a_partial_that_starts_at_the_boundary_lives() -> None:
    hub = new_hub()
    hub.add(UTTERANCES, 0, mark(through=160_000), 0, 0)
    hub.add(PARTIALS, 0, partial(first_sample=160_000, rev=170_000), 0, 0)
    assert len(events(follow(hub))) == 1


def test_an_older_revision_of_a_partial_is_dropped() -> None:
    hub = new_hub()
    hub.add(PARTIALS, 0, partial(rev=2), 0, 0)
    hub.add(PARTIALS, 1, partial(rev=1), 0, 0)
    assert list(hub.partials(None)) == [partial(rev=2)]


def test_the_ring_forgets_by_age_count_and_bytes_and_knows_what_it_lacks() -> None:
    for bounds, at_ms in (({"keep_ms": 100}, 1000), ({"max_entries": 1}, 0), ({"max_bytes": 3000}, 0)):
        hub = new_hub(**bounds)
        hub.add(UTTERANCES, 0, utterance(seq=1), 0, 0)
        hub.add(UTTERANCES, 1, utterance(seq=2), at_ms, at_ms)
        assert hub.missing({0: 0, 1: 0, 2: 0, 3: 0}) == {2: (0, 1)}
        assert hub.missing({0: 0, 1: 0, 2: 1, 3: 0}) == {}


def test_a_viewer_too_far_behind_is_closed_and_resumes_without_a_gap() -> None:
    hub = new_hub()
    viewer = Viewer(None, (0, 1, 2, 3, 4), dict.fromkeys(range(5), 0), max_behind=5)
    hub.viewers.add(viewer)
    hub.add(UTTERANCES, 0, utterance(seq=1), 0, 0)
    entry = viewer.pop()
    assert entry is not None
    position = viewer.position(entry.head)
    for seq in range(2, 9):
        hub.add(UTTERANCES, seq - 1, utterance(seq=seq), 0, 0)
    assert viewer.is_behind
    assert viewer.pop() is None
    resumed = follow(hub, position)
    assert [event.seq for event in events(resumed) if isinstance(event, Utterance)] == list(range(2, 9))


def test_a_viewer_is_bounded_in_bytes_too() -> None:
    hub = new_hub()
    viewer = Viewer(None, (0, 1, 2, 3, 4), dict.fromkeys(range(5), 0), max_behind_bytes=5000)
    hub.viewers.add(viewer)
    for seq in (1, 2):
        hub.add(UTTERANCES, seq, utterance(seq=seq, text="x" * 3000), 0, 0)
    assert viewer.is_behind


def test_what_revises_counts_once_against_the_bound() -> None:
    hub = new_hub()
    viewer = Viewer(None, (0, 1, 2, 3, 4), dict.fromkeys(range(5), 0), max_behind=2)
    hub.viewers.add(viewer)
    for rev in range(50):
        hub.add(PARTIALS, rev, partial(rev=rev), 0, 0)
        hub.add(WINDOWS, rev, window(seq=rev), 0, 0)
    assert not viewer.is_behind


def test_a_long_beginning_does_not_count_as_being_behind() -> None:
    hub = new_hub()
    for seq in range(1, 2001):
        hub.add(UTTERANCES, seq, utterance(seq=seq), 0, 0)
    viewer = follow(hub)
    hub.add(UTTERANCES, 2001, utterance(seq=2001), 0, 0)
    assert len(events(viewer)) == 2001


def test_a_viewer_ahead_of_its_hub_skips_what_it_has() -> None:
    hub = new_hub()
    viewer = follow(hub, (0, 0, 2, 0, 0))
    for seq in (1, 2, 3):
        hub.add(UTTERANCES, seq - 1, utterance(seq=seq), 0, 0)
    (entry,) = drain(viewer)
    assert entry.event == utterance(seq=3)
    assert viewer.position((0, 0, 1, 0, 0)) == (0, 0, 2, 0, 0)


def test_viewers_of_a_session_get_that_session_alone() -> None:
    hub = new_hub()
    viewer = follow(hub, name=session_id(1))
    hub.add(SESSIONS, 0, session(2), 0, 0)
    hub.add(SESSIONS, 1, session(1), 0, 0)
    assert events(viewer) == [session(1)]


def test_the_transcribers_resume_is_not_shown() -> None:
    hub = new_hub()
    hub.add(SESSIONS, 0, session(1), 0, 0)
    (entry,) = drain(follow(hub))
    assert "resume" not in entry.data
    assert '"type":"session"' in entry.data


@given(st.lists(st.integers(0, 2**63 - 1), max_size=40))
def test_cursors_give_back_the_position(position: list[int]) -> None:
    cursor = write_position(tuple(position))
    assert read_position(cursor, len(position)) == tuple(position)
    assert read_position(cursor, len(position) + 1) is None


@given(st.text(max_size=40))
def test_any_text_is_read_as_a_cursor_or_none(text: str) -> None:
    found = read_position(text, 4)
    assert found is None or len(found) == 4


async def test_what_happens_while_a_viewer_takes_in_the_ring_comes_behind_it() -> None:
    """All of the ring, part by part: what is added meanwhile follows, and what is deleted meanwhile does not come."""
    log, hub = Log(), new_hub()
    log.write(*(utterance(1 + seq % 2, seq // 2 + 1) for seq in range(1000)))
    log.feed_all(hub)
    attaching = asyncio.create_task(hub.attach(None, dict(enumerate(START))))
    await asyncio.sleep(0)  # its first part is taken in
    assert not attaching.done()
    log.write(utterance(1, 501), deletion(2))
    log.feed_all(hub)
    viewer = await attaching
    log.write(utterance(1, 502))
    log.feed_all(hub)
    seen = events(viewer)
    assert [event.seq for event in seen if isinstance(event, Utterance)] == list(range(1, 503))
    assert {event.session_id for event in seen if isinstance(event, Utterance)} == {session_id(1)}
    assert [event.session_id for event in seen if isinstance(event, Session)] == [session_id(2)]


async def test_a_viewer_of_one_session_looks_at_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    log, hub = Log(), new_hub()
    log.write(*(utterance(1, seq) for seq in range(1, 5)), *(utterance(2, seq) for seq in range(1, 2000)))
    log.feed_all(hub)
    looked: list[Entry] = []
    load = Viewer.load

    def counted(viewer: Viewer, entry: Entry) -> None:
        looked.append(entry)
        load(viewer, entry)

    monkeypatch.setattr(Viewer, "load", counted)
    viewer = await hub.attach(session_id(1), dict(enumerate(START)))
    assert len(events(viewer)) == len(looked) == 4
