"""Labelled text read aloud and heard: what mis-hearing does to it.

    python -m benchmarks.sentiment.aloud FILE.tsv --out OUT.tsv [--rows 300] [--seed 1] [--language en]

espeak-ng reads a sample of the rows, as many of each label, in voices and at paces that the seed draws; emoji
are passed over. The rows are heard as the product hears them: each text is a session of its own in the live path
(``benchmarks.hearing.live``), its language given, cut by voice activity, decoded by the engine of the settings and
gated. The finals that count are joined; where none does the text is empty, and no model has anything to judge.

OUT.tsv has ``label``, ``text`` (heard) and ``original`` (as written): ``python -m benchmarks.sentiment OUT.tsv`` judges
both. Equal seeds give equal files. A synthesiser is not a person: its English is harder to hear than people's, and its
Korean is not understood at all by Whisper base.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.clips import Clip, Heard
from benchmarks.hearing.live import live_engine
from benchmarks.hearing.scores import compare, error_rate, unit_of
from benchmarks.sentiment.espeak import ACCENTS, draw_voice, find_program, is_speakable, speak
from benchmarks.sentiment.texts import Text, guess_language, read_columns
from models.speech.load import load_engine
from models.speech.segmenter import SegmentRules
from undertone.audio import to_samples
from undertone.errors import UndertoneError
from undertone.settings import read_settings


@dataclass(frozen=True, slots=True)
class Reading:
    """A text that was read aloud, and what was heard of it."""

    original: Text
    heard: Heard

    @property
    def text(self) -> str:
        """What counts of it, on one line."""
        return " ".join(self.heard.counted.split())


def sample(texts: Sequence[Text], rows: int, seed: int) -> list[Text]:
    """So many texts that can be said, in their order, of each label as many; all of a label that has too few."""
    by_label: defaultdict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(texts):
        if is_speakable(one.text):
            by_label[one.label].append(number)
    random = Random(seed)
    chosen: list[int] = []
    for done, label in enumerate(sorted(by_label, key=lambda label: (len(by_label[label]), label))):
        share = (rows - len(chosen)) // (len(by_label) - done)
        chosen += random.sample(by_label[label], min(share, len(by_label[label])))
    return [texts[number] for number in sorted(chosen)]


def read_aloud(one: Text, language: str, seed: str) -> Clip:
    """A text as a recording."""
    samples = speak(one.text, draw_voice(language, Random(seed)))
    return Clip("aloud", samples, language, one.text, is_speech=True)


def write(readings: Sequence[Reading], out: Path) -> None:
    """The file for ``benchmarks.sentiment``."""
    lines = ["label\ttext\toriginal", *(f"{one.original.label}\t{one.text}\t{one.original.text}" for one in readings)]
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def describe(readings: Sequence[Reading], language: str) -> str:
    """How well it was heard, in a line or two."""
    said = [one.original.text for one in readings]
    edits = [compare(text, one.text, language) for text, one in zip(said, readings, strict=True)]
    lost = sum(not one.text for one in readings)
    return (
        f"{len(readings)} texts read aloud in {language}; {error_rate(edits)} % of {unit_of(language)} misheard; "
        f"{sum(not one.errors for one in edits)} texts without an error, {lost} not heard at all or suppressed"
    )


def load_ear() -> tuple[Callable[[Clip], Heard], int]:
    """The live path with the engine of the settings, and in how many threads it hears."""
    settings = read_settings()
    engine = load_engine(settings)
    return live_engine(
        engine, SegmentRules(endpoint=to_samples(settings.endpoint_ms)), detect=False
    ), settings.replicas()


def run(given: argparse.Namespace) -> str:
    """Write the file and say how well it was heard. Raises ``FatalError`` where something is missing."""
    find_program()
    texts = read_columns(given.file, ["text"])["text"]
    language = given.language or guess_language(one.text for one in texts)
    chosen = sample(texts, given.rows, given.seed)
    hear, threads = load_ear()

    def read(number: int) -> Reading:
        return Reading(chosen[number], hear(read_aloud(chosen[number], language, f"{given.seed} {number}")))

    with ThreadPoolExecutor(threads) as executor:
        readings = list(executor.map(read, range(len(chosen))))
    write(readings, given.out)
    return describe(readings, language)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.sentiment.aloud", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--language", choices=sorted(ACCENTS), help="without it Hangul is Korean, all else English")
    try:
        print(run(parser.parse_args(arguments)))
    except UndertoneError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
