"""Written sentences in the form that Whisper gives: what people type turned into what they could have said.

Emoji, smileys, links and mark-up go, names take the place of handles, sentences begin with a capital and end in a
stop; ``mishear`` then adds what happens on the way: fillers, repeats, words that sound alike, lost and cut ends.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import TypeAlias

NAMES = (
    "James",
    "Mary",
    "Sarah",
    "David",
    "Anna",
    "Tom",
    "Kate",
    "Emma",
    "Chris",
    "Laura",
    "Peter",
    "Susan",
    "Alice",
    "Max",
)
FILLERS = ("uh", "um", "you know", "I mean", "like", "well", "so", "okay", "yeah", "oh", "right", "actually", "I guess")
KOREAN_FILLERS = ("어", "음", "그", "막", "뭐", "이제", "그러니까", "약간", "진짜")

SoundAlikes: TypeAlias = Mapping[str, Sequence[str]]
"""Words by how they sound, where several sound the same."""

_EMOJI = re.compile("[\U0001f000-\U0001faff\u2190-\u21ff\u2600-\u27bf\ufe0f\u200d]")
_SMILEY = re.compile(r"[:;=8xX][-o']?[)(DPpOo/\\|*\]\[]+|<3|\^\^|xD")
_LINK = re.compile(r"https?://\S+|www\.\S+")
_HANDLE = re.compile(r"\[NAME\]|@\w+")
_MARKUP = re.compile(r"[*_~\"“”()\[\]<>^/|\\{}=+♥♡★☆♪·…]+")
_JAMO = re.compile("[ㄱ-ㅎㅏ-ㅣ]+")
_SHORT = (
    (r"\bu\b", "you"),
    (r"\bur\b", "your"),
    (r"\br\b", "are"),
    (r"\b[Ii]m\b", "I'm"),
    (r"\b([Dd])ont\b", r"\1on't"),
)
"""How words are typed, and how they are written out."""


def write_out(text: str, random: Random) -> str:
    """An English text as a transcript of somebody who reads it aloud."""
    text = _HANDLE.sub(lambda _: random.choice(NAMES), _LINK.sub(" ", _EMOJI.sub(" ", text)))
    text = text.replace("[RELIGION]", "Christian")
    text = _MARKUP.sub(" ", _SMILEY.sub(" ", text.replace("#", "")))
    for typed, written in _SHORT:
        text = re.sub(typed, written, text)
    text = _tidy(text)
    if text.isupper() and len(text) > 4:
        text = text.lower()
    text = re.sub(r"(^|[.!?] )([a-z])", lambda start: start[1] + start[2].upper(), text)
    return _end(re.sub(r"\bi\b", "I", text), random)


def write_out_korean(text: str, random: Random) -> str:
    """A Korean text as a transcript: without letters that are no syllable (laughter, tears), and signs."""
    return _end(_tidy(_MARKUP.sub(" ", _JAMO.sub(" ", _EMOJI.sub(" ", text.replace("~", " "))))), random)


def mishear(text: str, random: Random, alike: SoundAlikes, fillers: Sequence[str] = FILLERS) -> str:
    """About one word in thirteen changed: lost, said twice, after a filler, or heard as one that sounds alike."""
    heard: list[str] = []
    for word in text.split():
        chance = random.random()
        if chance < 0.02:
            continue
        if chance < 0.04:
            heard.append(random.choice(fillers) + random.choice((",", "")))
        elif chance < 0.05:
            heard.append(word)
        others = alike.get(sound(word)) if 0.05 < chance < 0.075 else None
        heard.append(random.choice(others) if others else word)
    if random.random() < 0.15:
        heard.insert(0, random.choice(fillers) + ",")
    if len(heard) > 8 and random.random() < 0.1:
        lost = random.randrange(1, 3)
        heard = heard[lost:] if random.random() < 0.5 else heard[:-lost]
    return " ".join(heard)


def bare(text: str) -> str:
    """Without punctuation and capitals, as some engines give it."""
    return re.sub(r"\s+", " ", re.sub(r"[^\w\s']", " ", text)).strip().lower()


def sound(word: str) -> str:
    """A rough key of how an English word sounds: its first letter and the kinds of the consonants that follow."""
    letters = re.sub("[^a-z]", "", word.lower())
    if len(letters) < 3:
        return letters
    for spelled, heard in (("ph", "f"), ("ck", "k"), ("gh", "")):
        letters = letters.replace(spelled, heard)
    return letters[0] + re.sub("[aeiouyhw]", "", letters[1:].translate(_KINDS))


_KINDS = str.maketrans("czqvdbg", "kskftpk")


def sound_alikes(texts: Iterable[str], least_count: int = 5) -> SoundAlikes:
    """The words of a text collection that occur so often, by their sound."""
    counts = Counter(word for text in texts for word in bare(text).split() if word.isascii() and word.isalpha())
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for word, count in counts.items():
        if count >= least_count:
            groups[sound(word)].append(word)
    return {key: words for key, words in groups.items() if len(words) > 1}


def _tidy(text: str) -> str:
    """One of each mark, no letter more than twice, one space between words and none before a mark."""
    text = re.sub(r"([!?.,~])[!?.,~]+", r"\1", text)
    text = re.sub(r"(\D)\1{2,}", r"\1\1", text)
    return re.sub(r"\s+([,.!?])", r"\1", re.sub(r"\s+", " ", text)).strip()


def _end(text: str, random: Random) -> str:
    """Few exclamation marks, as Whisper writes, and a stop at the end."""
    if random.random() < 0.6:
        text = text.replace("!", ".")
    return text if not text or text[-1] in ".!?," else f"{text}."
