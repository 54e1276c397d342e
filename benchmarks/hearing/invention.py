"""Whether the live path ever writes down what nobody said: long stretches without speech.

    python -m benchmarks.hearing.invention MANIFEST… [--minutes 10] [--language CODE]

Digital silence, white and pink noise at three levels, and each clip of kind ``nonspeech`` (music, noise, a bird) again
and again, at three levels too. Exits with 1 if any text counts.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.clips import Clip, read_clips, to_pcm
from benchmarks.hearing.conditions import Colour, Conditions, make_noise
from benchmarks.hearing.live import Utterance, take_down
from benchmarks.hearing.tables import show_table
from models.speech.engines import Samples
from models.speech.load import load_engine
from models.speech.segmenter import SegmentRules
from undertone.audio import SAMPLE_RATE
from undertone.settings import read_settings

COLOURS: tuple[Colour, ...] = ("white", "pink")
NOISE_DBFS = (-60, -40, -20)
GAINS_DB = (0, -20, 10)


def make_materials(clips: Sequence[Clip], seconds: float) -> Iterator[tuple[str, Samples]]:
    """What is heard, by name; each of so many seconds."""
    length = int(seconds * SAMPLE_RATE)
    yield "silence", np.zeros(length, np.float32)
    for colour in COLOURS:
        for dbfs in NOISE_DBFS:
            yield f"{colour} noise, {dbfs} dBFS", make_noise(length, colour, 10 ** (dbfs / 20), seed=1)
    for clip in clips:
        for gain_db in GAINS_DB:
            once = Conditions(gain_db=gain_db).apply(clip.samples, seed=0)
            yield f"{clip.name}, {gain_db} dB", np.resize(once, length)


def describe(name: str, utterances: Sequence[Utterance]) -> dict[str, object]:
    """One row."""
    reasons = Counter(str(one.transcript.quality.suppressed) for one in utterances if not one.counts)
    return {
        "material": name,
        "utterances": len(utterances),
        "suppressed": ", ".join(f"{reason} {count}" for reason, count in reasons.items()) or "-",
        "counted": sum(one.counts for one in utterances),
    }


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

    def hear(material: tuple[str, Samples]) -> tuple[str, list[Utterance]]:
        name, samples = material
        return name, list(take_down(to_pcm(samples), given.language, engine, SegmentRules()))

    rows = []
    with ThreadPoolExecutor(settings.replicas()) as executor:
        for name, utterances in executor.map(hear, make_materials(clips, 60 * given.minutes)):
            rows.append(describe(name, utterances))
            for one in utterances:
                if one.counts:
                    print(f"{name}, {one.transcript.start_ms} to {one.transcript.end_ms} ms: {one.hearing}")
    show_table(rows)
    sys.exit(any(row["counted"] for row in rows))


if __name__ == "__main__":
    main(sys.argv[1:])
