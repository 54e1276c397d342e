"""The locks pin what pyproject.toml asks for, with hashes, from nowhere in particular."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = {path.name: path.read_text(encoding="utf-8") for path in ROOT.glob("constraints*.txt")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
ASKED = {
    "constraints.txt": [*PROJECT["dependencies"], *EXTRAS["dev"], *EXTRAS["mic"]],
    "constraints-torch.txt": [*EXTRAS["torch"], *EXTRAS["training"]],
}


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", LOCKS[lock], re.MULTILINE))


def test_every_extra_has_its_lock() -> None:
    assert set(LOCKS) == set(ASKED)
    assert set(EXTRAS) == {"dev", "mic", "torch", "training"}


@pytest.mark.parametrize(("lock", "asked"), [(lock, asked) for lock in ASKED for asked in ASKED[lock]])
def test_what_is_asked_for_is_pinned_within_its_bounds(lock: str, asked: str) -> None:
    requirement = Requirement(asked)
    pinned = pins(lock).get(canonicalize_name(requirement.name))
    assert pinned is not None, f"{requirement.name} is not pinned: make lock"
    assert requirement.specifier.contains(pinned), f"{requirement.name} {pinned} is out of bounds: make lock"


def test_an_extra_only_adds_to_what_is_pinned_already() -> None:
    assert set(pins("constraints-torch.txt")) & set(pins("constraints.txt")) == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes(lock: str) -> None:
    blocks = re.split(r"^(?=[a-z])", LOCKS[lock], flags=re.MULTILINE)
    assert [block for block in blocks if block.strip() and "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_place_is_named(lock: str) -> None:
    assert re.search(r"://|--(extra-)?index-url|--find-links|^-e|@ file", LOCKS[lock], re.MULTILINE) is None
