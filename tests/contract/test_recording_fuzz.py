"""Whatever a file holds: audio or a refusal that is documented, in bounded time and memory, never another error."""

import io
import re
import subprocess
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bombs import BOMBS
from tests.recordings import CODECS, make_recording
from undertone.audio import BYTES_PER_SAMPLE, SAMPLE_RATE
from undertone.errors import Refusal
from undertone.recording.decoder import decode
from undertone.recording.limits import decode_limits

LIMITS = decode_limits(24 * 3600 * SAMPLE_RATE)
MAGICS = [b"RIFF\x24\0\0\0WAVEfmt ", b"RF64\xff\xff\xff\xffWAVEds64", b"fLaC", b"OggS", b"\x1aE\xdf\xa3", b"ID3\x04"]
MAGICS += [b"\xff\xfb\x90\x00"]
SECONDS = 20.0
MEGABYTES = LIMITS.memory_bytes // 1_000_000


@cache
def good(kind: str) -> bytes:
    return make_recording(kind, 0.3)


@cache
def documented() -> set[str]:
    return set(re.findall(r"^\| `(\w+)` \| 4\d\d ", Path("docs/http.md").read_text(encoding="utf-8"), re.MULTILINE))


def check(data: bytes) -> str:
    """How the file was taken: ``taken``, or the code of its refusal. Any other error fails the test."""
    began_s, samples = time.monotonic(), 0
    try:
        for piece in decode(io.BytesIO(data), LIMITS):
            assert piece
            samples += len(piece) // BYTES_PER_SAMPLE
            assert time.monotonic() - began_s < SECONDS
    except Refusal as refusal:
        how = refusal.code
    else:
        assert samples <= LIMITS.most_samples(len(data))
        return "taken"
    assert how in documented()
    return how


MUTATIONS: st.SearchStrategy[Callable[[bytes], bytes]] = st.one_of(
    st.floats(0, 1).map(lambda share: lambda data: data[: round(share * len(data))]),
    st.tuples(st.integers(0, 200), st.binary(min_size=1, max_size=8)).map(
        lambda put: lambda data: data[: put[0]] + put[1] + data[put[0] + len(put[1]) :]
    ),
    st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=64)).map(
        lambda put: lambda data: data[: round(put[0] * len(data))] + put[1] + data[round(put[0] * len(data)) :]
    ),
    st.tuples(st.integers(0, 60), st.sampled_from([b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff", b"\x01\0\0\0"])).map(
        lambda put: lambda data: data[: put[0]] + put[1] + data[put[0] + 4 :]  # lengths, rates and channels that lie
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([b"", *MAGICS]), st.binary(max_size=3000))
def test_random_bytes_are_refused_or_taken(magic: bytes, data: bytes) -> None:
    check(magic + data)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(sorted(CODECS)), st.lists(MUTATIONS, min_size=1, max_size=4))
def test_mangled_recordings_are_refused_or_taken(kind: str, mutations: list[Callable[[bytes], bytes]]) -> None:
    data = good(kind)
    for mutate in mutations:
        data = mutate(data)
    check(data)


@pytest.mark.parametrize("kind", sorted(CODECS))
def test_the_recordings_themselves_are_taken(kind: str) -> None:
    assert check(good(kind)) == "taken"


MEASURE = """
import resource, sys
from tests.contract.test_recording_fuzz import check
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(check(open(sys.argv[1], "rb").read()), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_no_more_than_its_share(name: str, tmp_path: Path) -> None:
    assert len(BOMBS[name]) < 500_000
    (tmp_path / "bomb").write_bytes(BOMBS[name])
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "bomb")]
    found = subprocess.run(command, capture_output=True, text=True, timeout=3 * SECONDS, check=False)
    assert found.returncode == 0, found.stderr
    how, megabytes = found.stdout.split()
    assert int(megabytes) < MEGABYTES, how
