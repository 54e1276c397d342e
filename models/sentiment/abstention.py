"""When an utterance is not judged: better no score than a guess. The rule, in one place. Pure."""

from collections.abc import Collection
from typing import Literal, TypeAlias

from models.scripts import is_in_its_script
from models.sentiment.texts import clean, has_word
from undertone.events import Transcript

Unjudged: TypeAlias = Literal["suppressed", "language", "words", "script", "doubt"]

LEAST_LANGUAGE_PROBABILITY = 0.5
"""Of Whisper's detection. Of 609 hearings that its gates let pass, 554 of 563 with more were in the language spoken,
and 27 of 46 with less (Whisper base on 119 clips in six languages, as they are, in noise, and cut to 1 and 1.5 s)."""

LEAST_AVG_LOGPROB = -0.8
"""Below it words are guessed. Of 433 hearings of the same clips 84 of 94 below had over half of their words wrong, and
39 of 339 above; of clips without added noise 1 in 114 was below. Short cries are above ("Great!" -0.76). A second
threshold for compression found nothing that this one and the gate at 2.4 let pass."""


def why_unjudged(transcript: Transcript, languages: Collection[str]) -> Unjudged | None:
    """Why an utterance is not judged by models that know ``languages``; None if it is. In this order:

    - ``suppressed``: the transcriber took its own text back;
    - ``language``: none, or one that no model knows, or doubtful (a language without a probability was given by the
      speaker or is the session's, and certain);
    - ``words``: there is no letter in it;
    - ``script``: most of its words are in letters that its language is not written in;
    - ``doubt``: the transcriber is unsure of its words.
    """
    quality, language, probability = transcript.quality, transcript.language, transcript.language_probability
    text = clean(transcript.text)
    if quality.suppressed is not None:
        return "suppressed"
    if (
        language is None
        or language not in languages
        or (probability is not None and probability < LEAST_LANGUAGE_PROBABILITY)
    ):
        return "language"
    if not has_word(text):
        return "words"
    if not is_in_its_script(text, language):
        return "script"
    return "doubt" if quality.avg_logprob < LEAST_AVG_LOGPROB else None
