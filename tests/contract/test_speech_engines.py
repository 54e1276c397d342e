"""What every speech engine must do, on real clips with real weights.

The engine on torch is tested where the extra is installed: ``make test-torch``, which CI runs too.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import jiwer
import numpy as np
import pytest

from models.speech.engines import MAX_SAMPLES, Hearing, Samples, SpeechEngine
from models.speech.faster_whisper_engine import FasterWhisperEngine
from models.speech.gates import suppression
from models.speech.load import load_engine
from models.weights.fetch import NEEDED
from tests.clips import read_clip
from undertone.errors import FatalError, Refusal
from undertone.languages import LANGUAGES
from undertone.settings import read_settings

REPLICAS = 2
HAS_TORCH = find_spec("whisper") is not None
NAMES = {"faster-whisper": "whisper-base-int8@d01c3014", "openai-whisper": "openai-whisper-base-float32@d01c3014"}


def on_torch(name: str) -> object:
    """A parameter for the lane of torch."""
    absent = pytest.mark.skipif(not HAS_TORCH, reason="needs the extra torch: make test-torch")
    return pytest.param(name, marks=[pytest.mark.torch, absent])


def samples_of(clip: str) -> Samples:
    return np.frombuffer(read_clip(clip), "<i2").astype(np.float32) / np.float32(32768)


def load(name: str) -> SpeechEngine:
    loaded = load_engine(read_settings(whisper_engine=name, whisper_replicas=REPLICAS))
    loaded.warm()
    return loaded


@pytest.fixture(scope="module", params=["faster-whisper", on_torch("openai-whisper")])
def engine(request: pytest.FixtureRequest) -> SpeechEngine:
    return load(request.param)


def words(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum() or c.isspace())


def test_hears_english(engine: SpeechEngine) -> None:
    hearing = engine.transcribe(samples_of("jfk.flac"), "en")
    assert words(hearing.text) == (
        "and so my fellow americans ask not what your country can do for you ask what you can do for your country"
    )
    assert (hearing.language, hearing.language_probability, hearing.attempts) == ("en", None, 1)
    assert -0.5 < hearing.avg_logprob < 0
    assert 0 <= hearing.no_speech_probability < 0.2
    assert suppression(hearing, 11_000) is None


def test_hears_short_utterances(engine: SpeechEngine) -> None:
    assert words(engine.transcribe(samples_of("LJ001-0008.flac"), "en").text) == "has never been surpassed"
    assert words(engine.transcribe(samples_of("LJ001-0002.flac"), "en").text) == "in being comparatively modern"


def test_detects_the_language(engine: SpeechEngine) -> None:
    korean = engine.transcribe(samples_of("korean.flac"), None)
    assert korean.language == "ko"
    assert korean.language_probability is not None
    assert korean.language_probability > 0.9
    assert "당일배송" in korean.text.replace(" ", "")
    assert engine.transcribe(samples_of("jfk.flac"), None).language == "en"


def test_detection_does_not_change_the_text(engine: SpeechEngine) -> None:
    given, detected = (engine.transcribe(samples_of("korean.flac"), language) for language in ("ko", None))
    assert (given.text, given.avg_logprob) == (detected.text, detected.avg_logprob)


def test_gives_beside_others_exactly_what_it_gives_alone(engine: SpeechEngine) -> None:
    jobs = [(samples_of(clip), language) for clip, language in
            (("jfk.flac", "en"), ("LJ001-0002.flac", None), ("korean.flac", None), ("noise.flac", None),
             ("1688-142285-0002.flac", "en"), ("LJ001-0008.flac", None))]  # fmt: skip
    alone = [engine.transcribe(*job) for job in jobs]
    gate = threading.Barrier(REPLICAS)

    def hear(first: int) -> list[object]:
        gate.wait(10)
        return [engine.transcribe(*job) for job in jobs[first:] + jobs[:first]]

    with ThreadPoolExecutor(REPLICAS) as threads:
        beside = list(threads.map(hear, (0, 3)))
    assert beside[0] == alone
    assert beside[1] == alone[3:] + alone[:3]


@pytest.mark.parametrize("seconds", [0.5, 5, 30])
def test_silence_and_noise_do_not_count(engine: SpeechEngine, seconds: float) -> None:
    length = int(seconds * 16_000)
    noise = np.resize(samples_of("noise.flac"), length)
    for samples in (np.zeros(length, np.float32), noise):
        assert suppression(engine.transcribe(samples, None), int(seconds * 1000)) is not None


@pytest.mark.parametrize("length", [0, 1, 200])
def test_takes_hardly_any_samples(engine: SpeechEngine, length: int) -> None:
    assert suppression(engine.transcribe(np.ones(length, np.float32), None), length // 16) is not None


def test_bad_sound_is_bounded(engine: SpeechEngine) -> None:
    random = np.random.default_rng(7).uniform(-1, 1, 80_000).astype(np.float32)
    speech = samples_of("jfk.flac")
    for samples in (random, np.clip(speech * 50, -1, 1), np.clip(speech + 0.5, -1, 1)):
        assert engine.transcribe(samples, None).attempts <= 4


def test_refuses_what_it_would_have_to_cut(engine: SpeechEngine) -> None:
    with pytest.raises(ValueError, match=r"at most 30 s, this one has 30\.1 s"):
        engine.transcribe(np.zeros(MAX_SAMPLES + 1600, np.float32), "en")


def test_refuses_samples_of_another_form(engine: SpeechEngine) -> None:
    for samples in (np.zeros(16_000, np.int16), np.zeros((2, 16_000), np.float32)):
        with pytest.raises(ValueError, match="float32"):
            engine.transcribe(samples, "en")  # type: ignore[arg-type]


def test_refuses_a_language_it_does_not_know(engine: SpeechEngine) -> None:
    assert {"en", "ko"} < engine.languages <= LANGUAGES
    with pytest.raises(Refusal, match="'xx'") as refused:
        engine.transcribe(np.zeros(16_000, np.float32), "xx")
    assert refused.value.code == "language_unknown"


def test_name_tells_engine_model_type_and_checksum(engine: SpeechEngine, request: pytest.FixtureRequest) -> None:
    assert engine.name == NAMES[request.node.callspec.params["engine"]]


def test_a_wrong_compute_type_names_the_setting() -> None:
    with pytest.raises(FatalError, match="UNDERTONE_WHISPER_COMPUTE"):
        load_engine(read_settings(whisper_compute="int3"))


@pytest.mark.parametrize("other", [on_torch("openai-whisper")])
def test_engines_agree_on_what_was_said(other: str) -> None:
    clips = [samples_of(clip) for clip in ("jfk.flac", "LJ001-0002.flac", "LJ001-0008.flac", "1688-142285-0002.flac")]
    engines = [load(name) for name in ("faster-whisper", other)]
    first, second = ([words(engine.transcribe(clip, "en").text) for clip in clips] for engine in engines)
    assert jiwer.wer(first, second) < 0.05


@pytest.mark.parametrize("name", [on_torch("openai-whisper")])
def test_weights_that_are_none_name_the_settings(name: str, tmp_path: Path) -> None:
    for file in NEEDED:
        (tmp_path / file).write_bytes(b"no weights")
    with pytest.raises(FatalError, match="UNDERTONE_WHISPER_MODEL"):
        load_engine(read_settings(whisper_engine=name, whisper_model=str(tmp_path)))


@pytest.mark.skipif(HAS_TORCH, reason="the extra torch is installed here")
def test_without_the_extra_the_remedy_is_told() -> None:
    with pytest.raises(FatalError, match=r"EXTRA=torch.*undertone\[torch\].*UNDERTONE_WHISPER_ENGINE"):
        load_engine(read_settings(whisper_engine="openai-whisper"))


def test_attempts_count_the_decode_that_lost_too(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = load("faster-whisper")
    assert isinstance(engine, FasterWhisperEngine)
    decoded: list[Hearing] = []
    hear = engine._hear

    def note(samples: Samples, language: str | None, window: int, cap: int, beam: int = 1) -> Hearing:
        decoded.append(hear(samples, language, window, cap, beam))
        return decoded[-1]

    monkeypatch.setattr(engine, "_hear", note)
    noise = np.random.default_rng(0)
    for level in (0.02, 0.04, 0.06, 0.08):  # unsound in the short window, and no better in the long one now and then
        decoded.clear()
        hearing = engine.transcribe(noise.normal(0, level, 48_000).astype(np.float32), "en")
        assert hearing.attempts == len(decoded) == 2
