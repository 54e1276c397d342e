"""AVX-512 is asked for where the processor has all of what CTranslate2 needs of it, and nobody said otherwise."""

import os
from pathlib import Path

import pytest

from models.speech.faster_whisper_engine import AVX512, use_wide_vectors


@pytest.fixture
def features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CT2_FORCE_CPU_ISA", "")  # so that the end of the test puts back what was there
    monkeypatch.delenv("CT2_FORCE_CPU_ISA")
    return tmp_path / "cpuinfo"


def test_it_is_asked_for_where_it_is_there(features: Path) -> None:
    features.write_text(f"flags\t\t: fpu avx2 {' '.join(AVX512)} amx_int8\n")
    use_wide_vectors(features)
    assert os.environ["CT2_FORCE_CPU_ISA"] == "AVX512"


def test_it_is_not_where_a_part_of_it_is_missing_or_nothing_is_known(features: Path) -> None:
    use_wide_vectors(features)
    features.write_text("flags\t\t: fpu avx2 avx512f avx512cd avx512vl avx512bw\n")
    use_wide_vectors(features)
    assert "CT2_FORCE_CPU_ISA" not in os.environ


def test_what_somebody_chose_stays(features: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CT2_FORCE_CPU_ISA", "AVX2")
    features.write_text(" ".join(AVX512))
    use_wide_vectors(features)
    assert os.environ["CT2_FORCE_CPU_ISA"] == "AVX2"
