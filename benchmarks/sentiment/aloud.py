"""Labelled text read aloud and heard: what mis-hearing does to it.

    python -m benchmarks.sentiment.aloud FILE.tsv --out OUT.tsv [--rows 300] [--seed 1] [--language en]

espeak-ng reads a sample of the rows, as many of each label, in voices and at paces that the seed draws; emoji
are passed over. The rows are heard as the product hears them: each text is a session of its own in the live path
(``benchmarks.hearing.live``), its language given, cut by voice activity, decoded by the engine of the settings and
gated. The finals that count are joined; where none does the text is empty, and no model has anything to judge.

OUT.tsv has ``label``, ``text`` (heard), ``trusted`` (heard, without the finals that the classifier leaves unjudged, see
``models.sentiment.abstention``) and ``original`` (as written); ``python -m benchmarks.sentiment OUT.tsv`` judges all
three. Equal seeds give equal files. A synthesiser is not a person: its English is harder to hear than people's, and its
Korean is not understood at all by Whisper base.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeAlias

from benchmarks.clips import to_pcm
from benchmarks.hearing.live import take_down
from benchmarks.hearing.scores import compare, error_rate, unit_of
from benchmarks.sentiment.espeak import ACCENTS, draw_voice, find_program, is_speakable, speak
from benchmarks.sentiment.texts import HEARD, TRUSTED, WRITTEN, Text, guess_language, read_columns
from models.sentiment.abstention import why_unjudged
from models.speech.engines import Samples
from models.speech.load import load_engine
from models.speech.segmenter import SegmentRules
from undertone.audio import to_samples
from undertone.errors import UndertoneError
from undertone.events import Transcript
from undertone.settings import Settings, read_settings

Hear: TypeAlias = Callable[[Samples, str], "Heard"]


@dataclass(frozen=True, slots=True)
class Heard:
    """The text of the finals that count, and of those among them that the classifier judges."""

    text: str
    trusted: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A text that was read aloud, and what was heard of it."""

    original: Text
    heard: Heard


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


def write(readings: Sequence[Reading], out: Path) -> None:
    """The file for ``benchmarks.sentiment``."""
    rows = [(one.original.label, one.heard.text, one.heard.trusted, one.original.text) for one in readings]
    out.parent.mkdir(parents=True, exist_ok=True)
    lines = ["\t".join(row) for row in [("label", HEARD, TRUSTED, WRITTEN), *rows]]
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def describe(readings: Sequence[Reading], language: str) -> str:
    """How well it was heard, in a line."""
    edits = [compare(one.original.text, one.heard.text, language) for one in readings]
    return (
        f"{len(readings)} texts read aloud in {language}: {error_rate(edits)} % of {unit_of(language)} misheard; "
        f"{sum(not one.errors for one in edits)} texts without an error, {sum(not one.heard.text for one in readings)} "
        f"suppressed, {sum(not one.heard.trusted for one in readings)} suppressed or too doubtful to judge"
    )


def join(finals: Iterable[Transcript], language: str) -> Heard:
    """What was heard of one text, on one line."""
    counted = [one for one in finals if one.quality.suppressed is None]
    trusted = [one for one in counted if why_unjudged(one, {language}) is None]
    text, sure = (" ".join(" ".join(one.text for one in some).split()) for some in (counted, trusted))
    return Heard(text, sure)


def load_ear(settings: Settings) -> Hear:
    """The live path with the engine of the settings; safe to call from threads."""
    engine = load_engine(settings)
    rules = SegmentRules(endpoint=to_samples(settings.endpoint_ms))

    def hear(samples: Samples, language: str) -> Heard:
        return join((one.transcript for one in take_down(to_pcm(samples), language, engine, rules)), language)

    return hear


def run(given: argparse.Namespace, settings: Settings) -> str:
    """Write the file and say how well it was heard. Raises ``FatalError`` where something is missing."""
    find_program()
    texts = read_columns(given.file, [HEARD])[HEARD]
    language = given.language or guess_language(one.text for one in texts)
    chosen = sample(texts, given.rows, given.seed)
    hear = load_ear(settings)

    def read(number: int) -> Reading:
        voice = draw_voice(language, Random(f"{given.seed} {number}"))
        return Reading(chosen[number], hear(speak(chosen[number].text, voice), language))

    with ThreadPoolExecutor(settings.replicas()) as executor:
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
        print(run(parser.parse_args(arguments), read_settings()))
    except UndertoneError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
