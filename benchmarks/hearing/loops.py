"""Whether the live path ever says the same again and again: many utterances under changing conditions.

    python -m benchmarks.hearing.loops MANIFEST… [--utterances 1000] [--seed N]

English clips are heard again and again, each time louder or quieter, with noise and through telephones, by a seeded
draw. An utterance loops if its text counts and is compressible beyond Whisper's own limit, or says four words in a row
three times or more and more often than the clip's reference. Exits with 1 if one does.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from random import Random

from benchmarks.clips import Clip, read_clips, to_pcm
from benchmarks.hearing.conditions import Conditions
from benchmarks.hearing.live import Utterance, take_down
from benchmarks.hearing.scores import is_scored, split
from models.speech.engines import MOST_COMPRESSION_RATIO, compression_ratio
from models.speech.load import load_engine
from models.speech.segmenter import SegmentRules
from undertone.settings import read_settings

WORDS = 4
TIMES = 3
BATCH = 40


def draw(random: Random) -> Conditions:
    """Conditions as they come: a third without noise, a quarter over the telephone, 30 dB too quiet to 10 too loud."""
    return Conditions(
        noise_db=random.choice([None, None, 20.0, 10.0, 5.0, 0.0]),
        colour=random.choice(["white", "pink"]),
        telephone=random.random() < 0.25,
        gain_db=random.uniform(-30, 10),
    )


def loops(text: str, reference: str, language: str | None) -> bool:
    """Whether a text says again and again what the reference does not."""
    said, truth = _runs(text, language), _runs(reference, language)
    repeats = any(times >= TIMES and times > truth[run] for run, times in said.items())
    return repeats or compression_ratio(text) > MOST_COMPRESSION_RATIO


def _runs(text: str, language: str | None) -> Counter[tuple[str, ...]]:
    words = split(text, language)
    return Counter(zip(*(words[first:] for first in range(WORDS)), strict=False))


def vary(clips: Sequence[Clip], random: Random) -> Iterator[tuple[Clip, Conditions, int]]:
    """Clips in rounds, each time under other conditions, with the seed of their noise; without end."""
    while True:
        for clip in random.sample(list(clips), len(clips)):
            yield clip, draw(random), random.getrandbits(32)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hearing.loops", description=__doc__.partition("\n")[0])
    parser.add_argument("manifests", nargs="+", type=Path, metavar="MANIFEST")
    parser.add_argument("--utterances", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    settings = read_settings()
    engine = load_engine(settings)
    clips = [clip for clip in read_clips(given.manifests, []) if is_scored(clip) and clip.language == "en"]

    def hear(one: tuple[Clip, Conditions, int]) -> list[Utterance]:
        clip, conditions, seed = one
        return list(take_down(to_pcm(conditions.apply(clip.samples, seed)), "en", engine, SegmentRules()))

    varied = vary(clips, Random(given.seed))
    figures: Counter[str] = Counter()
    with ThreadPoolExecutor(settings.replicas()) as executor:
        while figures["utterances"] < given.utterances:
            batch = list(islice(varied, BATCH))
            for (clip, conditions, seed), utterances in zip(batch, executor.map(hear, batch), strict=True):
                for one in utterances:
                    figures["utterances"] += 1
                    figures["decodes"] += one.hearing.attempts
                    figures["retried"] += one.hearing.attempts > 1
                    figures["retried with a beam"] += one.hearing.attempts > 2
                    figures["repetition confirmed"] += one.hearing.is_confirmed
                    figures[f"suppressed: {one.transcript.quality.suppressed}"] += not one.counts
                    if one.hearing.is_confirmed:
                        print(f"confirmed: {clip.name}, {conditions}, seed {seed}: {one.hearing}")
                    if one.counts and loops(one.hearing.text, str(clip.reference), clip.language):
                        figures["loops"] += 1
                        print(f"{clip.name}, {conditions}, seed {seed}: {one.hearing}")
    for name, count in figures.items():
        if count:
            print(f"{name}: {count}")
    sys.exit(figures["loops"] > 0)


if __name__ == "__main__":
    main(sys.argv[1:])
