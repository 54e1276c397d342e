"""What a recorder keeps, as pure values."""

from hypothesis import given
from hypothesis import strategies as st

from undertone.outbox import Outbox


def test_what_is_acknowledged_is_dropped() -> None:
    outbox = Outbox(10_000)
    outbox.add(bytes(3200))
    outbox.add(bytes(3200))
    outbox.acknowledge(1600)
    piece = outbox.after(0)
    assert piece is not None
    assert (piece.at, piece.end) == (1600, 3200)
    outbox.acknowledge(3200)
    assert outbox.is_empty


def test_a_piece_is_kept_whole_until_its_end_is_acknowledged() -> None:
    outbox = Outbox(10_000)
    outbox.add(bytes(3200))
    outbox.acknowledge(800)
    piece = outbox.after(800)
    assert piece is not None
    assert piece.at == 0


def test_acknowledgements_out_of_order_or_of_nothing_change_nothing() -> None:
    outbox = Outbox(10_000)
    outbox.add(bytes(3200))
    outbox.acknowledge(5000)
    assert outbox.acknowledged == 0
    outbox.acknowledge(1000)
    outbox.acknowledge(500)
    assert outbox.acknowledged == 1000


def test_gaps_grow_together_and_take_no_room() -> None:
    outbox = Outbox(1600)
    outbox.add_gap(100)
    outbox.add_gap(200)
    assert not outbox.is_full
    piece = outbox.after(100)
    assert piece is not None
    assert (piece.at, piece.end, piece.pcm) == (0, 300, None)
    outbox.add(bytes(3200))
    assert outbox.is_full


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("add"), st.integers(1, 50)),
            st.tuples(st.just("gap"), st.integers(0, 50)),
            st.tuples(st.just("ack"), st.integers(0, 500)),
        ),
        max_size=60,
    )
)
def test_everything_not_acknowledged_is_there_in_order(steps: list[tuple[str, int]]) -> None:
    outbox, end, acknowledged = Outbox(100), 0, 0
    for what, number in steps:
        match what:
            case "add":
                outbox.add(bytes(2 * number))
                end += number
            case "gap":
                outbox.add_gap(number)
                end += number
            case "ack":
                outbox.acknowledge(number)
                acknowledged = number if acknowledged < number <= end else acknowledged
        assert outbox.end == end
        sent = outbox.acknowledged
        assert sent == acknowledged
        while piece := outbox.after(sent):
            assert piece.at <= sent < piece.end
            sent = piece.end
        assert sent == end
        assert outbox.is_empty == (acknowledged == end)


def test_a_gap_that_is_made_shorter_renumbers_what_follows() -> None:
    outbox = Outbox(1000)
    outbox.add(bytes(20))
    outbox.add_gap(100)
    outbox.add(bytes(10))
    outbox.add_gap(7)
    for end, walked in (
        (40, [(0, 10), (10, 40), (40, 45), (45, 52)]),
        (3, [(0, 10), (10, 15), (15, 22)]),  # before it begins: it goes
    ):
        gap = outbox.after(10)
        assert gap is not None
        assert gap.pcm is None
        outbox.shorten(gap, end)
        at, pieces = 0, []
        while (piece := outbox.after(at)) is not None:
            pieces.append((piece.at, piece.end))
            at = piece.end
        assert pieces == walked
        assert outbox.end == walked[-1][1]
    outbox.acknowledge(outbox.end)
    assert outbox.is_empty
