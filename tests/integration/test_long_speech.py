"""Speech that never pauses, on real Kafka with the real Whisper: it is cut, and no word is lost or doubled at a cut."""

from itertools import pairwise

import jiwer
import numpy as np

from models.speech.segmenter import FRAME_SAMPLES, SegmentRules
from models.speech.voice_activity import load_voice_activity
from tests.clips import log_of, read_clip
from tests.streams import read_events
from tests.transcribing import ended, finals, publish, transcribing
from undertone.identifiers import make_session_id
from undertone.settings import Settings
from undertone.topics import TRANSCRIPTS

RULES = SegmentRules()
SESSION = make_session_id(1_790_000_000_000, 0)
SAID = {
    "jfk.flac": "and so my fellow americans ask not what your country can do for you "
    "ask what you can do for your country",
    "1688-142285-0002.flac": "you dont mean that you thought me so silly",
    "LJ001-0002.flac": "in being comparatively modern",
    "LJ001-0008.flac": "has never been surpassed",
}


def without_pauses(pcm: bytes) -> bytes:
    """Of every pause, three frames (96 ms) at most."""
    voice, quiet, kept = load_voice_activity().listen(), 0, []
    samples = np.frombuffer(pcm, "<i2")
    for start in range(0, len(samples) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        frame = samples[start : start + FRAME_SAMPLES]
        quiet = quiet + 1 if voice((frame / np.float32(32768)).astype(np.float32)[np.newaxis])[0] < RULES.sustain else 0
        if quiet <= 3:
            kept.append(frame)
    return b"".join(frame.tobytes() for frame in kept)


def plain(text: str) -> str:
    """Words in small letters."""
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter.isspace())


async def test_a_minute_and_a_half_without_a_pause_loses_and_doubles_no_word(topics: Settings) -> None:
    names = list(SAID)
    order = [name for turn in range(6) for name in names[turn % 4 :] + names[: turn % 4]]
    brief = {name: without_pauses(read_clip(name)) for name in names}
    async with transcribing(topics):
        await publish(topics, log_of(SESSION, b"".join(brief[name] for name in order)))
        await ended(topics, SESSION)
    said = finals(await read_events(topics, TRANSCRIPTS), SESSION)
    assert len(said) >= 4
    assert all(final.end_sample - final.first_sample <= RULES.longest for final in said)
    assert all(one.end_sample == other.first_sample for one, other in pairwise(said))
    words = jiwer.process_words(" ".join(SAID[name] for name in order), " ".join(plain(final.text) for final in said))
    assert (words.insertions, words.deletions) == (0, 0)
    assert words.substitutions <= 0.03 * words.hits
