"""Everyday spoken Korean, made from patterns: film comments know neither appointments nor complaints on the telephone.

A comment always judges; most of what people say does not. Without sentences such as these a model of comments calls a
time of day an opinion. They are patterns with the words filled in, of all three classes alike, so that polite endings
say nothing about the class.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random

from undertone.events import Label

WORDS: dict[str, list[str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
"""Things, people, times and places; openings; and the patterns: good and bad are said of a thing, plain are whole."""

CODA_PAIRS = {"은": "은는", "을": "을를", "이": "이가", "이고": ("이고", "고"), "이라고": ("이라고", "라고")}
"""Particles by whether the word before them ends in a consonant."""


def make_korean(random: Random, count_per_label: int) -> Iterator[tuple[Label, str]]:
    """Pairs of label and sentence, so many of each label, in a random order of the patterns' words."""
    for _ in range(count_per_label):
        yield "neutral", _dress(_fill(random.choice(WORDS["plain"]), random), random)
        yield "positive", _dress(_opinion(random.choice(WORDS["good"]), random), random)
        yield "negative", _dress(_opinion(random.choice(WORDS["bad"]), random), random)


def _opinion(predicate: str, random: Random) -> str:
    thing = random.choice(WORDS["things"])
    subject = (
        thing
        if predicate.startswith(("때문에", "덕분에", "생각만"))
        else _with_particle(thing, random.choice(("이", "은")))
    )
    time = f"{random.choice(WORDS['times'])} " if random.random() < 0.3 else ""
    return f"{time}{subject} {predicate}"


def _fill(pattern: str, random: Random) -> str:
    words = {
        "time": random.choice(WORDS["times"]),
        "hour": random.choice(WORDS["hours"]),
        "person": random.choice(WORDS["people"]),
        "place": random.choice(WORDS["places"]),
        "number": str(random.randrange(1, 60)),
    }
    for name, word in words.items():
        pattern = pattern.replace(f"{{{name}}}", word)
    for name, word in (
        ("thing", random.choice(WORDS["things"])),
        ("other", random.choice(WORDS["things"])),
        ("place", words["place"]),
    ):
        pattern = pattern.replace(f"{{{name}}}", word)
        for particle in CODA_PAIRS:
            pattern = pattern.replace(f"{{{name}:{particle}}}", _with_particle(word, particle))
    return pattern


def _dress(sentence: str, random: Random) -> str:
    """An opening as people use them, and the mark that ends a sentence, or not."""
    opening = random.choice(WORDS["openings"]) if random.random() < 0.25 else ""
    return opening + sentence + random.choice((".", ".", ".", ""))


def _with_particle(word: str, particle: str) -> str:
    with_coda, without = CODA_PAIRS[particle]
    return word + (with_coda if (ord(word[-1]) - ord("가")) % 28 else without)
