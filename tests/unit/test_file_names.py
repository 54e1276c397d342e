"""Names of downloaded files keep the letters of every script, and are cut between graphemes."""

import unicodedata
from urllib.parse import unquote

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from dashboards.file_names import LONGEST_BYTES, content_disposition, file_name

TEXTS = st.text(
    st.one_of(st.sampled_from("가e\u0301กำहि\u200dـ-./\\:\"' \0\u202e🧑"), st.characters(exclude_categories=["Cs"]))
)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Quarterly: a/b\\c", "Quarterly-a-b-c"),
        ("회의 12", "회의-12"),
        ("ที่ประชุม", "ที่ประชุม"),
        ("हिन्दी बैठक", "हिन्दी-बैठक"),
        ("اجتماع می\u200cخواهم", "اجتماع-می\u200cخواهم"),
        ("ភាសាខ្មែរ", "ភាសាខ្មែរ"),
        ("cafe\u0301", "caf\u00e9"),
        ("..", ""),
        ("\u202egpj.exe", "gpj-exe"),
        ("🙂", ""),
    ],
)
def test_names(title: str, name: str) -> None:
    assert file_name(title) == name


def test_the_header_has_the_name_and_an_ascii_one() -> None:
    header = content_disposition("ที่ 1", "0123", "srt")
    plain, encoded = 'attachment; filename="0123.srt"', "%E0%B8%97%E0%B8%B5%E0%B9%88-1.srt"
    assert header == f"{plain}; filename*=UTF-8''{encoded}"


@given(TEXTS)
def test_any_title_gives_a_header_and_a_name_that_a_file_can_have(title: str) -> None:
    header = content_disposition(title, "plain", "vtt")
    assert regex.fullmatch(r"attachment; filename=\"plain\.vtt\"; filename\*=UTF-8''[A-Za-z0-9%._~-]+", header)
    name = unquote(header.partition("''")[2])
    assert name == (file_name(title) or "plain") + ".vtt"
    assert len(name.encode()) <= LONGEST_BYTES + len(".vtt")
    assert not set(name) & set('/\\:*?"<>|\0\n\r\u202e')
    assert unicodedata.is_normalized("NFC", name)


@given(st.text(st.sampled_from("각กำहि👍e\u0301\u0323\U00020000"), min_size=30, max_size=120))
def test_a_long_name_is_cut_between_graphemes(title: str) -> None:
    graphemes = regex.findall(r"\X", file_name(title * 4))
    words = "-".join(regex.findall(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}]*", unicodedata.normalize("NFC", title * 4)))
    whole = regex.findall(r"\X", words)
    assert whole[: len(graphemes)] == graphemes
