"""Dead letters: what comes out is what went in, and one record is one letter."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.test_golden_bytes import EVENTS
from tests.examples import SESSION_ID
from undertone.codec import Headers
from undertone.events import DeadLetter
from undertone.letters import WHY, Letter, seal, unseal
from undertone.topics import DEAD_LETTERS

REASON = next(event for event in EVENTS if isinstance(event, DeadLetter))
HEADERS = st.lists(st.tuples(st.text(st.characters(codec="utf-8"), max_size=5), st.binary(max_size=9)), max_size=4)


@given(st.binary(max_size=99), st.none() | st.binary(max_size=99), HEADERS)
def test_a_letter_is_unsealed_as_it_was(key: bytes, value: bytes | None, headers: Headers) -> None:
    letter = Letter(REASON, key, value, headers)
    assert unseal(*seal(letter)) == letter
    twice = Letter(REASON, *seal(letter))
    assert unseal(*seal(twice)) == twice  # somebody wrote a letter where a record belongs
    assert twice.id != letter.id


@pytest.mark.parametrize(
    "large",
    [
        Letter(REASON, b"key", bytes(3_000_000), [("a", b"kept")]),
        Letter(REASON, b"key", bytes(1_000_000), [("a", bytes(1_100_000))]),
        Letter(REASON, bytes(3_000_000), None, []),
    ],
    ids=["value", "headers", "key"],
)
def test_what_no_record_has_room_for_is_cut_and_says_so(large: Letter) -> None:
    key, value, headers = seal(large)
    size = len(key) + len(value or b"") + sum(len(name) + len(given) for name, given in headers)
    assert 900_000 < size + 1_000_000 * (not value) <= DEAD_LETTERS.max_bytes
    found = unseal(key, value, headers)
    assert found is not None
    assert found.is_cut
    assert (large.value or b"").startswith(found.value or b"")


def test_the_same_record_is_the_same_letter_whenever_it_was_put_aside() -> None:
    letter = Letter(REASON, SESSION_ID.encode(), b"{", [("a", b"1")])
    later = REASON.model_copy(update={"at": REASON.at.replace(year=2027), "error": "again"})
    assert replace(letter, why=later).id == letter.id
    for change in ({"offset": 18}, {"app": "archivist"}, {"topic": "utterances"}, {"partition": 4}):
        assert replace(letter, why=REASON.model_copy(update=change)).id != letter.id
    for other in (replace(letter, value=b"{}"), replace(letter, headers=[]), replace(letter, key=b"")):
        assert other.id != letter.id
    assert letter.session_id == SESSION_ID
    assert letter.place == "transcripts-3@17"


@pytest.mark.parametrize("headers", [[], [(WHY, b"{")], [(WHY, b'{"type":"mark"}')]])
def test_other_records_are_no_letters(headers: Headers) -> None:
    assert unseal(b"key", b"value", headers) is None
