"""Whether a text counts: the gates against invented text, the same for every language.

Whisper writes text for silence and noise too, and loops now and then. Thresholds are for Whisper base, from 360 cuts
of the project's clips: on speech the no-speech probability stayed below 0.48, on noise, music, silence and birdsong
above 0.52 (Whisper's authors ask for 0.6 and a low log-probability together, which lets most inventions pass). Text
below a mean log-probability of -1.2 was wrong throughout; between -1.2 and -1.0 some of it was right.
"""

from models.speech.engines import Hearing
from undertone.events import Suppression

NO_SPEECH = 0.5
SURE_ALL_THE_SAME = -0.25
LEAST_AVG_LOGPROB = -1.2
MOST_CHARACTERS_PER_S = 35


def suppression(hearing: Hearing, speech_ms: int) -> Suppression | None:
    """Why the text of an utterance of ``speech_ms`` (pads included) does not count; None if it does. In this order:

    - ``no_speech``: no letter or digit in it, or Whisper itself doubts that anybody spoke and is not sure of the words;
    - ``repetition``: it says the same again and again (compression ratio above 2.4, as Whisper's authors have it), and
      no other decode confirms that somebody did (``models.speech.repetition``);
    - ``low_confidence``: its words are unlikely, or more than anybody can say in the time (fast speech has 25
      characters a second in alphabets, fewer in other scripts).
    """
    if not any(character.isalnum() for character in hearing.text):
        return "no_speech"
    if hearing.no_speech_probability > NO_SPEECH and hearing.avg_logprob < SURE_ALL_THE_SAME:
        return "no_speech"
    if hearing.is_loop:
        return "repetition"
    too_many = len(hearing.text) * 1000 > MOST_CHARACTERS_PER_S * speech_ms
    return "low_confidence" if too_many or hearing.avg_logprob < LEAST_AVG_LOGPROB else None
