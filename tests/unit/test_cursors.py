"""Cursors that a client made up: each is refused, whatever it holds, and whatever Python raises for it."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.positions import read_position, write_position
from storage.cursors import make_cursor, read_cursor
from undertone.errors import Refusal
from undertone.tokens import read

ID = "01890000-0000-7000-8000-000000000001"
NESTED = b"[" * 20_000


def sealed(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


HOSTILE = [
    NESTED,
    b'{"a":' * 20_000,
    b'["sessions",' + b"9" * 5000 + b"]",
    b'["sessions", "\\ud800"]',
    b'["sessions", "\\u0000"]',
    b'["sessions", ""]',
    b'["sessions", "' + b"0" * 10_000 + b'"]',
    b'["sessions", [' + b"1," * 20_000,
    b"\xff\xfe",
]


@pytest.mark.parametrize("content", HOSTILE, ids=lambda content: repr(content[:20]))
def test_a_made_up_cursor_is_refused(content: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        read_cursor("sessions", sealed(content), str)
    assert (refused.value.code, refused.value.status) == ("bad_cursor", 400)


@pytest.mark.parametrize("content", [HOSTILE[2], b'["windows", NaN]', b'["windows", true]', b'["windows", 1.5]'])
def test_what_is_no_number_of_ours_is_refused(content: bytes) -> None:
    with pytest.raises(Refusal):
        read_cursor("windows", sealed(content), int)


@given(
    st.text() | st.binary().map(sealed) | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps)
)
def test_any_text_is_a_cursor_or_refused(cursor: str) -> None:
    try:
        found = read_cursor("sessions", cursor, str)
    except Refusal:
        return
    assert isinstance(found[0], str)


def test_our_own_cursors_are_read() -> None:
    assert read_cursor("sessions", make_cursor("sessions", ID), str) == [ID]
    assert read_cursor("sessions negative", make_cursor("sessions negative", -0.25, ID), float, str) == [-0.25, ID]
    assert read_cursor("windows", make_cursor("windows", 10_000, 2**53), int, int) == [10_000, 2**53]


def test_a_position_is_no_longer_than_its_partitions_need() -> None:
    longest = tuple([2**63 - 1] * 40)
    assert read_position(write_position(longest), 40) == longest
    for hostile in ("A" * 1_000_000, sealed(NESTED), sealed(b"\x01" + b"\xff" * 20_000), "\ud800", "é", "=" * 9):
        assert read_position(hostile, 40) is None


@pytest.mark.parametrize("header", HOSTILE, ids=lambda content: repr(content[:20]))
def test_a_made_up_token_is_refused(header: bytes) -> None:
    for token in (f"{sealed(header)}.e30.AA", f"e30.{sealed(header)}.AA", sealed(header)):
        with pytest.raises(Refusal) as refused:
            read(["s" * 32], "login", token)
        assert (refused.value.code, refused.value.status) == ("token_invalid", 401)
