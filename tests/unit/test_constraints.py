"""constraints.txt pins what pyproject.toml asks for, with hashes, from nowhere in particular."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
PINS = dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", CONSTRAINTS, re.MULTILINE))


@pytest.mark.parametrize("asked", [*PROJECT["dependencies"], *EXTRAS["dev"], *EXTRAS["mic"]])
def test_what_is_asked_for_is_pinned_within_its_bounds(asked: str) -> None:
    requirement = Requirement(asked)
    pinned = PINS.get(canonicalize_name(requirement.name))
    assert pinned is not None, f"{requirement.name} is not pinned: make lock"
    assert requirement.specifier.contains(pinned), f"{requirement.name} {pinned} is out of bounds: make lock"


def test_every_pin_has_hashes() -> None:
    blocks = re.split(r"^(?=[a-z])", CONSTRAINTS, flags=re.MULTILINE)
    assert [block for block in blocks if block.strip() and "--hash=sha256:" not in block] == []


def test_no_place_is_named() -> None:
    assert re.search(r"://|--(extra-)?index-url|--find-links|^-e|@ file", CONSTRAINTS, re.MULTILINE) is None
