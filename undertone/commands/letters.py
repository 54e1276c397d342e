"""The dead letters that are kept, what operators did with them, and which of them are meant."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from undertone.bootstrap import check_kafka
from undertone.codec import decode, encode
from undertone.deletions import read_deletions
from undertone.errors import FatalError, PoisonError
from undertone.events import LetterMark
from undertone.kafka import Publisher, open_reader, read_to_end
from undertone.letters import Letter, unseal
from undertone.settings import Settings
from undertone.topics import DEAD_LETTERS


@dataclass(frozen=True)
class Kept:
    """A letter, what was done with it, and whether somebody had its session forgotten: then it is shown to nobody."""

    letter: Letter
    done: Literal["replayed", "dropped"] | None
    is_deleted: bool

    @property
    def reason(self) -> str:
        """Why it was put aside."""
        return "its session was deleted" if self.is_deleted else self.letter.why.error


@dataclass(frozen=True)
class Choice:
    """Which letters are meant: those named (by the beginning of an id, or by place), or all that fit what is given."""

    names: Sequence[str] = ()
    app: str | None = None
    topic: str | None = None
    error: str | None = None
    everything: bool = False

    def of(self, kept: Sequence[Kept]) -> list[Kept]:
        """The letters that are meant. Raises ``FatalError`` if none is, or a name fits none or several."""
        if not (self.names or self.app or self.topic or self.error or self.everything):
            raise FatalError("which letters? Name some, or say --app, --topic, --error or --all")
        found = [self._named(name, kept) for name in self.names] or list(kept)
        return [each for each in found if self._fits(each)]

    def _fits(self, kept: Kept) -> bool:
        why = kept.letter.why
        return (
            self.app in {None, why.app}
            and self.topic in {None, why.topic}
            and (self.error is None or self.error.lower() in why.error.lower())
        )

    def _named(self, name: str, kept: Sequence[Kept]) -> Kept:
        found = [each for each in kept if each.letter.id.startswith(name) or each.letter.place == name]
        if len(found) != 1:
            raise FatalError(f"{len(found)} dead letters are named {name!r}: `undertone dead-letters list` shows all")
        return found[0]


async def read_letters(settings: Settings) -> list[Kept]:
    """All dead letters but those that were dropped, oldest first. Raises ``FatalError`` if Kafka cannot be reached."""
    await check_kafka(settings)
    letters: dict[str, Letter] = {}
    done: dict[str, Literal["replayed", "dropped"]] = {}
    async with open_reader(settings, [DEAD_LETTERS]) as reader:
        async for record in read_to_end(reader):
            letter = unseal(record.key, record.value, record.headers)
            if letter is not None:
                letters.setdefault(letter.id, letter)
            elif (mark := _mark(record.value, list(record.headers))) is not None:
                done[mark.letter] = mark.done
    deleted = await read_deletions(settings)
    kept = [Kept(letter, done.get(name), letter.session_id in deleted) for name, letter in letters.items()]
    return sorted((each for each in kept if each.done != "dropped"), key=lambda each: each.letter.why.at)


async def mark(publisher: Publisher, letter: Letter, done: Literal["replayed", "dropped"]) -> None:
    """Write down what was done with a letter; durable on return."""
    value, headers = encode(LetterMark(letter=letter.id, done=done, at=datetime.now(UTC)))
    key = letter.key or b""
    await publisher.write(DEAD_LETTERS, key.decode(errors="replace"), key, value, headers)


def _mark(value: bytes | None, headers: list[tuple[str, bytes]]) -> LetterMark | None:
    try:
        event = decode(value, headers)
    except PoisonError:
        return None
    return event if isinstance(event, LetterMark) else None
