"""Whether the live path ever writes down what nobody said: long stretches without speech.

    python -m benchmarks.hearing.invention MANIFEST… [--minutes 10] [--language CODE]

Digital silence, white and pink noise at three levels, and each clip of kind ``nonspeech`` (music, noise, a bird) again
and again, at its own level and 20 dB below it. Exits with 1 if any text counts.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.clips import Clip, read_clips, to_pcm
from benchmarks.hearing.conditions import Colour, Conditions, make_noise
from benchmarks.hearing.live import Utterance, take_down
from models.speech.engines import Samples
from models.speech.load import load_engine
from models.speech.segmenter import SegmentRules
from undertone.audio import SAMPLE_RATE
from undertone.settings import read_settings

COLOURS: tuple[Colour, ...] = ("white", "pink")
NOISE_DBFS = (-60, -40, -20)
GAINS_DB = (0, -20)


def list_materials(clips: Sequence[Clip], seconds: float) -> Iterator[tuple[str, Callable[[], Samples]]]:
    """What is heard, by name, and what makes so many seconds of it when its turn comes (ten minutes are 40 MB)."""
    length = int(seconds * SAMPLE_RATE)
    yield "silence", partial(_repeat, np.zeros(1, np.float32), 0, length)
    for colour in COLOURS:
        for dbfs in NOISE_DBFS:
            yield f"{colour} noise, {dbfs} dBFS", partial(make_noise, length, colour, 10 ** (dbfs / 20), seed=1)
    for clip in clips:
        for gain_db in GAINS_DB:
            yield f"{clip.name}, {gain_db} dB", partial(_repeat, clip.samples, gain_db, length)


def _repeat(samples: Samples, gain_db: float, length: int) -> Samples:
    repeated: Samples = np.resize(Conditions(gain_db=gain_db).apply(samples, seed=0), length)
    return repeated


def describe(name: str, utterances: Sequence[Utterance]) -> str:
    """One line."""
    reasons = Counter(str(one.transcript.quality.suppressed) for one in utterances if not one.counts)
    refused = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items())) or "nothing"
    return f"{name}: {sum(one.counts for one in utterances)} counted of {len(utterances)}; suppressed: {refused}"


def main(arguments: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hearing.invention", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("manifests", nargs="+", type=Path, metavar="MANIFEST")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--language", help="what the recorder says is spoken; nothing: it is detected")
    given = parser.parse_args(arguments)
    settings = read_settings()
    engine = load_engine(settings)
    clips = [clip for clip in read_clips(given.manifests, [], float("inf")) if not clip.is_speech]

    def hear(material: tuple[str, Callable[[], Samples]]) -> tuple[str, list[Utterance]]:
        name, make = material
        return name, list(take_down(to_pcm(make()), given.language, engine, SegmentRules()))

    invented = 0
    with ThreadPoolExecutor(settings.replicas()) as executor:
        for name, utterances in executor.map(hear, list_materials(clips, 60 * given.minutes)):
            print(describe(name, utterances), flush=True)
            for one in utterances:
                if one.counts:
                    invented += 1
                    print(f"  {one.transcript.start_ms} to {one.transcript.end_ms} ms: {one.hearing}", flush=True)
    sys.exit(invented > 0)


if __name__ == "__main__":
    main(sys.argv[1:])
