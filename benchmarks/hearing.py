"""How well an engine hears: word error rate, invented text and cost over manifests of clips.

    python -m benchmarks.hearing MANIFEST… [--engine NAME] [--set NAME] [--json]

A manifest is a JSON list of ``{id, set, path, lang, kind, reference}``, paths relative to it. Both sides of a
comparison are put through Whisper's own text normaliser. Clips without a reference are heard but not scored, except
those of kind ``nonspeech``: each with a text that the gates let pass counts as invented. ``plain`` is faster-whisper
as it comes (greedy, windows of 30 s), the measure to compare with; ``platform`` is a running ``undertone up`` (on
UNDERTONE_PORT), ``platform-detect`` the same without telling it the language. Clips over 30 s are left out.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

import jiwer
from faster_whisper import WhisperModel
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from benchmarks.clips import Clip, Heard, read_clips
from benchmarks.platform import platform_engine
from models.speech.load import load_engine
from models.speech.gates import suppression
from models.weights.fetch import fetch
from undertone.audio import SAMPLE_RATE, to_ms
from undertone.settings import Settings, read_settings


@dataclass(frozen=True, slots=True)
class Score:
    """One set's figures; error rates in percent of words, of all text and of the text that the gates let pass."""

    group: str
    clips: int
    words: int
    error_rate: float | None
    counted_error_rate: float | None
    inserted: int
    deleted: int
    substituted: int
    retried: int
    suppressed: int
    invented: int


Hear: TypeAlias = Callable[[Clip], Heard]


def undertone_engine(settings: Settings) -> Hear:
    """The project's engine: short windows, checks, one retry."""
    engine = load_engine(settings)
    engine.warm()

    def hear(clip: Clip) -> Heard:
        hearing = engine.transcribe(clip.samples, clip.language)
        refused = suppression(hearing, to_ms(len(clip.samples)))
        return Heard(hearing.text, hearing.text if refused is None else "", hearing.attempts)

    return hear


def plain_engine(settings: Settings) -> Hear:
    """faster-whisper as it comes: greedy, no fallback, windows of 30 s."""
    model = WhisperModel(
        str(fetch(settings.whisper_model, settings.cache)),
        device=settings.whisper_device,
        compute_type=settings.whisper_compute,
        cpu_threads=1,
        num_workers=settings.replicas(),
    )

    def hear(clip: Clip) -> Heard:
        segments, _ = model.transcribe(
            clip.samples,
            language=clip.language,
            beam_size=1,
            temperature=0.0,
            without_timestamps=True,
            condition_on_previous_text=False,
        )
        text = " ".join(segment.text.strip() for segment in segments)
        return Heard(text, text, 1)

    return hear


ENGINES: dict[str, Callable[[Settings], Hear]] = {
    "undertone": undertone_engine,
    "plain": plain_engine,
    "platform": lambda settings: platform_engine(f"http://{settings.host}:{settings.port}", detect=False),
    "platform-detect": lambda settings: platform_engine(f"http://{settings.host}:{settings.port}", detect=True),
}


def normalise(text: str, language: str | None) -> str:
    """Whisper's normal form; for languages other than English its basic one."""
    return str(_ENGLISH(text) if language == "en" else _BASIC(text))


def score(group: str, clips: Sequence[Clip], heard: Sequence[Heard]) -> Score:
    """The figures of one set."""
    scored = [(clip, one) for clip, one in zip(clips, heard, strict=True) if clip.is_speech and clip.reference]
    truth = [normalise(str(clip.reference), clip.language) for clip, _ in scored]
    errors = (
        jiwer.process_words(truth, [normalise(one.text, clip.language) for clip, one in scored]) if scored else None
    )
    counted = jiwer.wer(truth, [normalise(one.counted, clip.language) for clip, one in scored]) if scored else None
    return Score(
        group=group,
        clips=len(clips),
        words=sum(len(text.split()) for text in truth),
        error_rate=round(100 * errors.wer, 2) if errors else None,
        counted_error_rate=round(100 * counted, 2) if counted is not None else None,
        inserted=errors.insertions if errors else 0,
        deleted=errors.deletions if errors else 0,
        substituted=errors.substitutions if errors else 0,
        retried=sum(one.attempts > 1 for one in heard),
        suppressed=sum(one.text != one.counted for one in heard),
        invented=sum(bool(one.counted) and not clip.is_speech for clip, one in zip(clips, heard, strict=True)),
    )


def measure(hear: Hear, clips: Sequence[Clip], threads: int) -> tuple[list[Score], float]:
    """Scores by set and of all, and core-seconds per second of audio."""
    started = time.process_time()
    with ThreadPoolExecutor(threads) as executor:
        heard = list(executor.map(hear, clips))
    cost = time.process_time() - started
    scores = []
    for group in sorted({clip.group for clip in clips}):
        members = [number for number, clip in enumerate(clips) if clip.group == group]
        scores.append(score(group, [clips[n] for n in members], [heard[n] for n in members]))
    scores.append(score("all", clips, heard))
    return scores, cost / (sum(len(clip.samples) for clip in clips) / SAMPLE_RATE)


def main(arguments: Sequence[str]) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hearing", description=__doc__.partition("\n")[0])
    parser.add_argument("manifests", nargs="+", type=Path, metavar="MANIFEST")
    parser.add_argument("--engine", choices=sorted(ENGINES), default="undertone")
    parser.add_argument("--set", action="append", default=[], dest="groups", help="only this set; may be repeated")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    settings = read_settings()
    scores, cost = measure(
        ENGINES[given.engine](settings), read_clips(given.manifests, given.groups), settings.replicas()
    )
    if given.json:
        figures = {"engine": given.engine, "core_seconds_per_second": cost, "sets": [asdict(one) for one in scores]}
        print(json.dumps(figures, indent=1))
        return
    print(f"{given.engine}: {cost:.4f} core-seconds per second of audio")
    names = list(asdict(scores[0]))
    for row in [names, *[[str(value) for value in asdict(one).values()] for one in scores]]:
        print("  ".join(f"{value:>18}" if column else f"{value:<18}" for column, value in enumerate(row)))


_ENGLISH = EnglishTextNormalizer()
_BASIC = BasicTextNormalizer()

if __name__ == "__main__":
    main(sys.argv[1:])
