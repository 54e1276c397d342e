"""Languages as browsers, systems and people name them."""

import pytest
from pydantic import TypeAdapter, ValidationError

from ingest_api.messages import Start, parse_message
from ingest_api.sessions import parse_body
from undertone.languages import LANGUAGES, Language, check_language, read_language

TAGS = {
    "en": "en",
    "en-US": "en",
    "ko-KR": "ko",
    "EN": "en",
    "zh-Hant-TW": "zh",
    "pt_BR": "pt",
    "yue-HK": "yue",
    "haw-US": "haw",
    "iw-IL": "he",
    "nb-NO": "no",
    "fil-PH": "tl",
    "auto": None,
    "AUTO": None,
    "": None,
    "und": None,
}


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_is_a_code_that_models_know_wherever_it_is_given(tag: str) -> None:
    code = TAGS[tag]
    assert read_language(tag) == code
    check_language(code)
    start = parse_message(f'{{"type":"start","sample_rate":16000,"encoding":"pcm_s16le","language":"{tag}"}}')
    assert isinstance(start, Start)
    assert start.language == code
    assert parse_body(f'{{"language":"{tag}"}}'.encode()).language == code


@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_every_code_stays_what_it_is(code: str) -> None:
    assert read_language(code) == code


@pytest.mark.parametrize("given", ["English", "e", "12", "영어", "en,ko", "en-" + "x" * 40, 5, ["en"]])
def test_what_is_no_language_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Language).validate_python(given)
