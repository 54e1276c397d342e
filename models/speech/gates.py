"""Whether a text counts: the gates against invented text, the same for every language."""

from models.speech.engines import Hearing
from undertone.events import Suppression


def suppression(hearing: Hearing, speech_ms: int) -> Suppression | None:
    return None
