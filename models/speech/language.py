"""The language that a session is heard in: kept while it is good, re-checked when a hearing in it is doubtful. Pure.

A language that the recorder gave is never re-checked. For Whisper base, from 57 clips in six languages (en, ko, de,
fr, es, pt) and their beginnings: a detection of at least 0.8 was right in all of 204 from 1.5 s of audio up (of 1 s:
wrong in 2 of 31); below 0.8 in 32 of 42. From 2 s on, a hearing in the right language had a mean log-probability
below -0.6 in 5 of 97; in a wrong one, 200 of 222 had that, a loop or another script (an English clip heard as
Korean comes out in Latin letters), and detection then put 185 right. The rest were mostly good translations.
In whole sessions, 8 of 133 English utterances were heard twice and none changed; of 56 in six languages in random
order, 52 came out in their own.
"""

import unicodedata

from models.scripts import other_than_latin
from models.speech.engines import Hearing
from models.speech.gates import NO_SPEECH

CERTAIN = 0.8
LEAST_SPEECH_MS = 2000
DOUBTFUL_AVG_LOGPROB = -0.6


def is_certain(hearing: Hearing, speech_ms: int) -> bool:
    """Whether the language of this hearing was detected, and so surely that it may become the session's.

    ``speech_ms`` is the length of the utterance, pads included. A short one decides nothing.
    """
    probability = hearing.language_probability
    return probability is not None and probability >= CERTAIN and speech_ms >= LEAST_SPEECH_MS


def is_doubtful(hearing: Hearing, speech_ms: int) -> bool:
    """Whether an utterance that was heard in the session's language should be heard once more, with detection.

    Not where detection could decide nothing: the utterance is short, or nobody speaks in it.
    """
    if speech_ms < LEAST_SPEECH_MS or hearing.no_speech_probability > NO_SPEECH:
        return False
    return hearing.avg_logprob < DOUBTFUL_AVG_LOGPROB or hearing.is_loop or not _is_in_its_script(hearing)


def choose(known: Hearing, detected: Hearing, speech_ms: int) -> Hearing:
    """The better justified of two hearings of one utterance, in the session's language and in a detected one.

    The other language must be certain: by likelihood alone, noise would pass for whatever language suits it best.
    """
    is_other = detected.language != known.language and is_certain(detected, speech_ms)
    return detected if is_other and not detected.is_loop else known


def _is_in_its_script(hearing: Hearing) -> bool:
    script = other_than_latin(hearing.language)
    letters = [letter for letter in hearing.text if letter.isalpha()]
    return script is None or 2 * sum(unicodedata.name(letter, "").startswith(script) for letter in letters) >= len(
        letters
    )
