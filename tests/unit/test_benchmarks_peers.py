"""The pure parts of the peers: what their messages show, and the weights that they are given."""

import base64
import gzip
import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers.checkpoints import pack_heads
from benchmarks.peers.environments import PINS, find_python
from benchmarks.peers.registry import PEERS
from benchmarks.peers.whisperlive import read_segments
from benchmarks.peers.whisperlivekit import read_lines
from undertone.errors import FatalError


def segment(start: str, text: str, *, completed: bool) -> dict[str, object]:
    return {"start": start, "end": "9.000", "text": text, "completed": completed}


def test_whisperlive_keeps_what_messages_no_longer_repeat() -> None:
    completed: dict[float, str] = {}
    first = [segment("0.000", " So", completed=True), segment("2.000", " much", completed=False)]
    assert read_segments(first, completed) == ("So", "much")
    later = [segment("10.000", " that", completed=True), segment("2.000", " much for", completed=True)]
    assert read_segments(later, completed) == ("So much for that", "")


def test_whisperlivekit_shows_lines_and_a_buffer() -> None:
    answer = {
        "lines": [
            {"speaker": 1, "text": " So much"},
            {"speaker": -2, "text": ""},
            {"speaker": 1, "text": " for"},
            {"speaker": 1, "text": ""},
        ],
        "buffer_transcription": " that",
    }
    assert read_lines(answer) == ("So much for", "that")


def test_alignment_heads_are_a_packed_mask() -> None:
    packed = pack_heads([[1, 0], [1, 2]], layers=2, heads=3)
    mask = np.frombuffer(gzip.decompress(base64.b85decode(packed)), np.bool_).reshape(2, 3)
    assert mask.tolist() == [[False, False, False], [True, False, True]]


def test_a_peer_that_is_not_set_up_says_how(tmp_path: Path) -> None:
    for name in PINS:
        with pytest.raises(FatalError, match=f"python -m benchmarks.peers install {name}"):
            find_python(name, tmp_path)


def test_every_peer_has_its_environment() -> None:
    assert {name.partition("-")[0] for name in PEERS} == set(PINS)


def test_every_package_of_a_peer_is_pinned() -> None:
    for path in PINS.values():
        lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
        assert any(line.startswith("torch==") for line in lines)
        assert all(re.fullmatch(r"[\w.-]+==[\w.+-]+", line) for line in lines)
