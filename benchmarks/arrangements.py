"""How the engine is best arranged on this machine: replicas, threads, batch, window and instruction set, side by side.

    python -m benchmarks.arrangements MANIFEST… [--set NAME] [--json]

Whole clips of speech of at most 30 s, each arrangement in a process of its own, one after the other. ``cost`` is wall
seconds per second of audio, ``ratio`` that against the first line (what Undertone does), ``looped`` texts of which the
compression ratio is above 2.4. Other programs make the figures worthless: run nothing beside it.
"""

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import jiwer
import numpy as np
from ctranslate2 import StorageView

from benchmarks.clips import Clip, read_clips
from benchmarks.hearing import normalise
from benchmarks.hearing.tables import show_table
from models.speech import faster_whisper_engine
from models.speech.engines import MOST_COMPRESSION_RATIO, compression_ratio, token_cap
from models.speech.faster_whisper_engine import FasterWhisperEngine, window_s
from models.weights.fetch import fetch
from undertone.audio import SAMPLE_RATE
from undertone.settings import read_settings


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How clips are decoded: ``least_s`` and ``margin_s`` make the window; ``isa`` is CTranslate2's instruction set."""

    replicas: int = 2
    threads: int = 1
    batch: int = 1
    least_s: int = 12
    margin_s: int = 5
    isa: str = "AVX512"


ARRANGEMENTS = (
    Arrangement(),
    Arrangement(isa="AVX2"),
    Arrangement(replicas=1, threads=2),
    Arrangement(replicas=1),
    Arrangement(replicas=3),
    Arrangement(batch=2),
    Arrangement(batch=4),
    Arrangement(least_s=30),
    Arrangement(margin_s=3),
    Arrangement(least_s=8, margin_s=4),
)


def measure(arrangement: Arrangement, manifests: Sequence[Path], groups: Sequence[str]) -> dict[str, object]:
    """One line of the table. For a process of its own: it changes the engine's constants."""
    clips = [clip for clip in read_clips(manifests, groups) if clip.is_speech and clip.reference]
    settings = read_settings()
    faster_whisper_engine.LEAST_WINDOW_S = arrangement.least_s
    faster_whisper_engine.MARGIN_S = arrangement.margin_s
    engine = FasterWhisperEngine(
        fetch(settings.whisper_model, settings.cache),
        "arranged",
        device="cpu",
        compute=settings.whisper_compute,
        replicas=arrangement.replicas,
        replica_threads=arrangement.threads,
    )
    engine.warm()
    clips.sort(key=lambda clip: len(clip.samples))
    batches = [clips[start : start + arrangement.batch] for start in range(0, len(clips), arrangement.batch)]
    began_s = time.monotonic()
    with ThreadPoolExecutor(arrangement.replicas) as threads:
        texts = [text for some in threads.map(lambda batch: hear(engine, batch), batches) for text in some]
    took_s = time.monotonic() - began_s
    references = [normalise(str(clip.reference), clip.language) for clip in clips]
    heard = [normalise(text, clip.language) for text, clip in zip(texts, clips, strict=True)]
    return {
        **asdict(arrangement),
        "cost": round(took_s / (sum(len(clip.samples) for clip in clips) / SAMPLE_RATE), 4),
        "word_error_rate": round(100 * jiwer.wer(references, heard), 2),
        "looped": sum(compression_ratio(text) > MOST_COMPRESSION_RATIO for text in texts),
    }


def hear(engine: FasterWhisperEngine, clips: Sequence[Clip]) -> list[str]:
    """The texts of clips that are decoded together; one alone as the engine does it, with its checks and retry."""
    if len(clips) == 1:
        return [engine.transcribe(clips[0].samples, clips[0].language).text]
    longest = max(len(clip.samples) for clip in clips)
    rows = [np.asarray(engine._spectrogram(clip.samples, window_s(longest))) for clip in clips]  # noqa: SLF001
    encoded = engine._model.encode(StorageView.from_array(np.concatenate(rows)))  # noqa: SLF001
    prompts = [engine._prompt(clip.language or "en") for clip in clips]  # noqa: SLF001
    most = len(prompts[0]) + token_cap(longest)
    results = engine._model.generate(encoded, prompts, beam_size=1, max_length=most)  # noqa: SLF001
    return [engine._tokens.decode(result.sequences_ids[0]) for result in results]  # noqa: SLF001


def _set_isa(isa: str) -> None:
    os.environ["CT2_FORCE_CPU_ISA"] = isa


def main(arguments: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.arrangements", description=str(__doc__).partition(".")[0]
    )
    parser.add_argument("manifests", nargs="+", type=Path, metavar="MANIFEST")
    parser.add_argument("--set", action="append", default=[], dest="groups", help="only this set; may be repeated")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    spawn = multiprocessing.get_context("spawn")
    rows: list[dict[str, object]] = []
    for arrangement in ARRANGEMENTS:
        with ProcessPoolExecutor(1, spawn, _set_isa, (arrangement.isa,)) as process:
            row = process.submit(measure, arrangement, given.manifests, given.groups).result()
        first = rows[0]["cost"] if rows else row["cost"]
        rows.append(row | {"ratio": round(row["cost"] / first, 2)})  # type: ignore[operator]
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    if given.json:
        print(json.dumps(rows, indent=1))
    else:
        show_table(rows)


if __name__ == "__main__":
    main(sys.argv[1:])
