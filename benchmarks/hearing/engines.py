"""What can be measured, by name."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from faster_whisper import WhisperModel

from benchmarks.clips import Clip, Heard
from benchmarks.hearing.live import live_engine
from benchmarks.platform import platform_engine
from models.speech.engines import MAX_SAMPLES, WINDOW_S, SpeechEngine
from models.speech.gates import suppression
from models.speech.load import load_engine
from models.speech.segmenter import SegmentRules
from models.weights.fetch import fetch
from undertone.audio import to_ms, to_samples
from undertone.settings import Settings


@dataclass(frozen=True, slots=True)
class Ear:
    """Something that hears clips of at most ``longest_s``; ``in_process`` says that this process pays for it."""

    hear: Callable[[Clip], Heard]
    longest_s: float = math.inf
    in_process: bool = True


Load: TypeAlias = Callable[[Settings], Ear]


def load_alone(settings: Settings) -> Ear:
    """The project's engine alone: each clip one utterance."""
    engine = _load(settings)

    def hear(clip: Clip) -> Heard:
        hearing = engine.transcribe(clip.samples, clip.language)
        counts = suppression(hearing, to_ms(len(clip.samples))) is None
        return Heard(
            hearing.text, hearing.text if counts else "", retried=int(hearing.attempts > 1), suppressed=int(not counts)
        )

    return Ear(hear, longest_s=WINDOW_S)


def load_live(settings: Settings, *, detect: bool) -> Ear:
    """The engine in the live path."""
    return Ear(live_engine(_load(settings), SegmentRules(endpoint=to_samples(settings.endpoint_ms)), detect=detect))


def load_plain(settings: Settings) -> Ear:
    """faster-whisper as it comes: greedy, no fallback, windows of 30 s (each begins where the last sentence ended)."""
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
            without_timestamps=len(clip.samples) <= MAX_SAMPLES,
            condition_on_previous_text=False,
        )
        text = " ".join(segment.text.strip() for segment in segments)
        return Heard(text, text)

    return Ear(hear)


def load_platform(settings: Settings, *, detect: bool) -> Ear:
    """A running ``undertone up``, on the host and port of the settings."""
    return Ear(platform_engine(f"http://{settings.host}:{settings.port}", detect=detect), in_process=False)


def use(engine: str, settings: Settings) -> Settings:
    """The settings with another speech engine."""
    return settings.model_copy(update={"whisper_engine": engine})


ENGINES: dict[str, Load] = {
    "live": lambda settings: load_live(settings, detect=False),
    "live-detect": lambda settings: load_live(settings, detect=True),
    "live-openai-whisper": lambda settings: load_live(use("openai-whisper", settings), detect=False),
    "undertone": load_alone,
    "openai-whisper": lambda settings: load_alone(use("openai-whisper", settings)),
    "plain": load_plain,
    "platform": lambda settings: load_platform(settings, detect=False),
    "platform-detect": lambda settings: load_platform(settings, detect=True),
}


def _load(settings: Settings) -> SpeechEngine:
    engine = load_engine(settings)
    engine.warm()
    return engine
