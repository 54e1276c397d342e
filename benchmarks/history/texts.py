"""What was said, for the benchmark of the history: real sentences, in English and Korean, and how common words are."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from models.training.labelled import label_of, read_labelled
from storage.terms import is_paired, tokens, vector
from undertone.events import Label

PAIRED = 0.3  # of the utterances are two sentences


@dataclass(frozen=True, slots=True)
class Said:
    """What an utterance says, how it is judged, its words and its terms."""

    text: str
    language: str
    label: Label
    words: int
    terms: str


def read_texts(paths: Sequence[Path], most: int, random: Random) -> dict[str, list[Said]]:
    """Utterances by language, at most so many of each: the sentences of the files, and pairs of them."""
    found: dict[str, list[Said]] = {"en": [], "ko": []}
    sentences: dict[str, list[tuple[str, Label]]] = {"en": [], "ko": []}
    for path in paths:
        for row in read_labelled(path, ["text"]):
            text = " ".join(row["text"].split())
            sentences["ko" if any(map(is_paired, text)) else "en"].append((text, label_of(row)))
    for language, given in sentences.items():
        random.shuffle(given)
        for text, label in given[:most]:
            said = f"{text} {random.choice(given)[0]}" if random.random() < PAIRED else text
            found[language].append(Said(said, language, label, len(said.split()), vector(said)))
    return found


def words_by_share(texts: Iterable[Said], language: str) -> list[tuple[str, float]]:
    """Words and in what share of the texts of both languages each is, if they are evenly split; the commonest first.

    Words of English are its spelled ones, those of Korean the pairs that begin a word.
    """
    counts: Counter[str] = Counter()
    number = 0
    for said in texts:
        number += 1
        if language == "en":
            counts.update({token.term for token in tokens(said.text) if token.term.isalpha()})
        else:
            counts.update({word[:2] for word in said.text.split() if len(word) >= 2 and all(map(is_paired, word))})
    return [(word, count / number / 2) for word, count in counts.most_common()]
