"""Text read aloud by espeak-ng, a small formant synthesiser: a program of the system, in a process for each text."""

import io
import shutil
import subprocess
import unicodedata
from dataclasses import dataclass
from random import Random

import numpy as np
from faster_whisper import decode_audio

from models.speech.engines import Samples
from undertone.audio import SAMPLE_RATE
from undertone.errors import FatalError

PROGRAM = "espeak-ng"
SPEAKS_WITHIN_S = 60

# The loss should be that of hearing, so not of voices that hardly anybody understands: in the Scottish one of espeak-ng
# Whisper base has 40 % of words wrong where it has 20 to 27 in the others; m1, m3 and f1, and haste, are nearly as bad.
ACCENTS = {"en": ("en-us", "en-gb", "en-gb-x-rp"), "ko": ("ko",)}
TIMBRES = ("m2", "m4", "m5", "m6", "m7", "f2", "f3", "f4", "f5")
WORDS_PER_MINUTE = (130, 170)
PITCHES = (35, 65)


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks, as espeak-ng's options have it."""

    name: str
    words_per_minute: int
    pitch: int


def draw_voice(language: str, random: Random) -> Voice:
    """Somebody who speaks the language, at a pace between slow and brisk."""
    name = f"{random.choice(ACCENTS[language])}+{random.choice(TIMBRES)}"
    return Voice(name, random.randint(*WORDS_PER_MINUTE), random.randint(*PITCHES))


def is_speakable(text: str) -> bool:
    """Whether there is anything in it to say."""
    return any(character.isalnum() for character in text)


def to_speech(text: str) -> str:
    """What a person reads out: not the pictures, which espeak-ng would name."""
    return "".join(character for character in text if unicodedata.category(character) != "So")


def speak(text: str, voice: Voice) -> Samples:
    """The text in that voice: float32 at 16 kHz. Raises ``FatalError`` where espeak-ng is missing or fails."""
    program = find_program()
    options = ["-b", "1", "-v", voice.name, "-s", str(voice.words_per_minute), "-p", str(voice.pitch)]
    spoken = subprocess.run(
        [program, *options, "--stdin", "--stdout"],
        input=to_speech(text).encode(),
        capture_output=True,
        check=False,
        timeout=SPEAKS_WITHIN_S,
    )
    if spoken.returncode or not spoken.stdout:
        raise FatalError(f"espeak-ng cannot say {text!r} as {voice.name}: {spoken.stderr.decode().strip()}")
    samples: Samples = decode_audio(io.BytesIO(spoken.stdout), SAMPLE_RATE).astype(np.float32)
    return samples


def find_program() -> str:
    """The path of espeak-ng. Raises ``FatalError`` where it is not installed."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise FatalError("espeak-ng is not installed, and nobody else reads aloud: apt-get install espeak-ng")
    return program
