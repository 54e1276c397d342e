"""The pure parts of benchmarks/hearing: errors by words or characters, the bootstrap, conditions, loops."""

import numpy as np
import pytest

from benchmarks.clips import Clip, Heard, to_pcm
from benchmarks.hearing.bootstrap import difference
from benchmarks.hearing.conditions import LEVEL_PEAK, LEVEL_RMS, Conditions, bring_to, make_noise, through_telephone
from benchmarks.hearing.loops import loops
from benchmarks.hearing.scores import Edits, compare, error_rate, groups_of, score, split
from models.speech.engines import Samples
from undertone.audio import SAMPLE_RATE


def clip(group: str = "reading", language: str | None = "en", reference: str | None = "red house") -> Clip:
    return Clip(group, np.zeros(16, np.float32), language, reference, language is not None)


def tone(hertz: float, seconds: float = 1.0, peak: float = 0.5) -> Samples:
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (peak * np.sin(2 * np.pi * hertz * times)).astype(np.float32)


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def test_english_is_compared_by_words_in_whispers_normal_form() -> None:
    assert compare("It's twenty-one colours.", "it is 21 colors", "en").errors == 0
    assert compare("a b c d", "a x c d e", "en") == Edits(length=4, inserted=1, deleted=0, substituted=1)
    assert split("Ça va?", "fr") == ["ça", "va"]


def test_korean_is_compared_by_characters_without_spaces() -> None:
    assert compare("기차도 전기도 없었다", "기차도전기도 없었다.", "ko") == Edits(9, 0, 0, 0)
    assert compare("기차도 전기도 없었다", "기차도 전기는 없었", "ko") == Edits(9, 0, 1, 1)
    assert compare("기차도 전기도 없었다", "", "ko") == Edits(9, 0, 9, 0)


def test_a_score_is_of_what_counts_and_names_inventions() -> None:
    heard = [Heard("red house", "red house"), Heard("red horse", "", retried=1, suppressed=1)]
    row = score("reading", [clip(), clip()], heard)
    assert (row.unit, row.length, row.error_rate, row.counted_error_rate) == ("words", 4, 25.0, 50.0)
    assert (row.deleted, row.substituted, row.retried, row.suppressed, row.invented) == (2, 0, 1, 1, 0)
    noise = clip("noise", None, None)
    row = score("noise", [noise, noise], [Heard("Thank you.", "Thank you."), Heard("Thank you.", "", suppressed=1)])
    assert (row.language, row.error_rate, row.invented) == ("-", None, 1)
    assert score("reading", [clip(reference=None)], [Heard("red", "red")]).counted_error_rate is None


def test_rows_do_not_mix_languages() -> None:
    clips = [clip("b"), clip("a", "ko"), clip("a"), clip("noise", None)]
    rows = groups_of(clips)
    assert rows["a", "en"] == [2]
    assert rows["a", "ko"] == [1]
    assert rows["all", "en"] == [0, 2]
    assert rows["all", None] == [3]
    assert ("b", "ko") not in rows


def wrong(errors: int, length: int = 10) -> Edits:
    return Edits(length, 0, 0, errors)


def test_the_bootstrap_gives_the_difference_and_an_interval_round_it() -> None:
    random = np.random.default_rng(3)
    theirs = [wrong(int(errors), 20) for errors in random.integers(0, 8, 200)]
    ours = [
        wrong(one.substituted + int(more), 20) for one, more in zip(theirs, random.integers(-1, 3, 200), strict=True)
    ]
    found = difference(ours, theirs)
    rates = error_rate(ours), error_rate(theirs)
    assert None not in rates
    assert found.points == pytest.approx(float(rates[0] or 0) - float(rates[1] or 0), abs=0.011)
    # the same by the central limit theorem: the lengths are equal, so the rate is a mean
    each = np.array([100 * (a.errors - b.errors) / 20 for a, b in zip(ours, theirs, strict=True)])
    half = 1.96 * each.std() / np.sqrt(len(each))
    assert found.low == pytest.approx(each.mean() - half, abs=0.1)
    assert found.high == pytest.approx(each.mean() + half, abs=0.1)


def test_the_bootstrap_is_paired_weighted_by_length_and_repeatable() -> None:
    ours, theirs = [wrong(9), wrong(0, 30)], [wrong(8), wrong(0, 30)]
    assert difference(ours, ours) == difference(theirs, theirs)
    assert difference(ours, ours).low == difference(ours, ours).high == 0
    assert difference(ours, theirs).points == 2.5
    assert difference(ours, theirs) == difference(ours, theirs)
    assert difference(theirs, ours).points == -2.5


def test_the_bootstrap_refuses_other_references_and_none() -> None:
    with pytest.raises(ValueError, match="same references"):
        difference([wrong(1)], [wrong(1, 11)])
    with pytest.raises(ValueError, match="same references"):
        difference([], [])


@pytest.mark.parametrize("colour", ["white", "pink"])
def test_noise_is_so_much_under_the_recording(colour: str) -> None:
    speech = tone(500)
    noisy = Conditions(noise_db=10, colour=colour).apply(speech, seed=1)  # type: ignore[arg-type]
    assert 20 * np.log10(rms(speech) / rms(noisy - speech)) == pytest.approx(10, abs=0.1)
    assert np.array_equal(noisy, Conditions(noise_db=10, colour=colour).apply(speech, seed=1))  # type: ignore[arg-type]
    assert not np.array_equal(noisy, Conditions(noise_db=10, colour=colour).apply(speech, seed=2))  # type: ignore[arg-type]


def test_pink_noise_has_equal_power_in_each_octave() -> None:
    def octave(samples: Samples, hertz: int) -> float:
        power = np.abs(np.fft.rfft(samples)) ** 2
        seconds = len(samples) // SAMPLE_RATE
        return float(power[hertz * seconds : 2 * hertz * seconds].sum())

    pink = make_noise(20 * SAMPLE_RATE, "pink", 0.1, seed=1)
    white = make_noise(20 * SAMPLE_RATE, "white", 0.1, seed=1)
    assert octave(pink, 200) / octave(pink, 3200) == pytest.approx(1, rel=0.1)
    assert octave(white, 200) / octave(white, 3200) == pytest.approx(1 / 16, rel=0.1)


@pytest.mark.parametrize("length", [16_000, 15_999, 15_998])
def test_a_telephone_keeps_its_band_in_time_and_drops_the_rest(length: int) -> None:
    voice = tone(1000)[:length]
    heard = through_telephone(voice)
    assert len(heard) == length
    assert rms((heard - voice)[200:-200]) < 0.05 * rms(voice)  # eight bits leave 2 to 3 %
    assert rms(through_telephone(tone(100)[:length])) < 0.02
    assert rms(through_telephone(tone(5000)[:length])) < 0.02


def test_gain_is_in_decibels_and_in_sixteen_bits() -> None:
    quiet = Conditions(gain_db=-20).apply(tone(500), seed=0)
    assert rms(quiet) == pytest.approx(rms(tone(500)) / 10, rel=0.001)
    assert np.array_equal(quiet * 32768, np.round(quiet * 32768))
    assert Conditions(gain_db=-120).apply(tone(500), seed=0).max() == 0
    loud = Conditions(gain_db=40).apply(tone(500), seed=0)
    assert (loud.min(), loud.max()) == (-1, 32767 / 32768)


def test_levels() -> None:
    assert np.abs(bring_to(tone(500, peak=0.01), "peak")).max() == pytest.approx(LEVEL_PEAK, rel=0.001)
    assert rms(bring_to(tone(500, peak=0.01), "rms")) == pytest.approx(LEVEL_RMS, rel=0.001)
    silence = np.zeros(100, np.float32)
    assert np.array_equal(bring_to(silence, "rms"), silence)


def test_samples_go_out_as_a_recorder_sends_them() -> None:
    assert to_pcm(np.array([0, 0.5, -1, 2], np.float32)) == np.array([0, 16384, -32768, 32767], "<i2").tobytes()


def test_loops() -> None:
    again = "and so it went on " * 3
    assert loops(again, "and so it went", "en")
    assert not loops(again, again, "en")
    assert not loops("and so it went on and so it went on", "and so it went", "en")
    assert loops("thank you very much " * 20, "thank you very much " * 20, "en")
