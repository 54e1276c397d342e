"""Writes dead letters back, and asks Kafka what must be known before."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from undertone.codec import decode
from undertone.commands.letters import Kept, mark, read_letters
from undertone.commands.replay import SOURCES, Numbered, Surroundings, read, scope, why_not
from undertone.errors import FatalError, PoisonError
from undertone.events import Session
from undertone.kafka import client_options, open_publisher, open_reader, read_to_end, topic_name
from undertone.letters import Letter
from undertone.settings import Settings
from undertone.topics import AUDIO, SESSIONS, Topic

_BEHIND = 2**63


class Ledger:
    """What Kafka says of some letters, all of it read before the first of them is written back."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._begins: dict[tuple[str, int], int] = {}
        self._acknowledged: dict[str, dict[TopicPartition, int]] = {}
        self._numbers: dict[tuple[str, int], dict[tuple[object, ...], list[tuple[int, int]]]] = {}
        self._sessions: dict[str, Session] = {}
        self._aside: dict[tuple[str, int, int], set[str]] = defaultdict(set)
        self._partitions = 0

    async def read(self, letters: Sequence[Letter]) -> None:
        """Read all that decides about ``letters``. Raises ``TransientError`` while Kafka is away."""
        for each in letters:
            self._aside[each.why.topic, each.why.partition, each.why.offset].add(each.why.app)
        places = {(each.why.topic, each.why.partition) for each in letters if each.why.topic in SOURCES}
        for name, partition in sorted(places):
            await self._read_source(SOURCES[name], partition)
        for app in {each.why.app for each in letters}:
            self._acknowledged[app] = await self._committed(app)
        for partition in {partition for _, partition in places}:
            async with open_reader(self._settings, [SESSIONS], [partition]) as reader:
                async for record in read_to_end(reader):
                    event = _event(record.value, record.headers)
                    known = self._sessions.get(event.session_id) if isinstance(event, Session) else None
                    if isinstance(event, Session) and (known is None or event.seq >= known.seq):
                        self._sessions[event.session_id] = event

    def around(self, letter: Letter) -> Surroundings:
        """What is known of one letter."""
        why = letter.why
        where = (why.topic, why.partition)
        source = SOURCES.get(why.topic, AUDIO)
        session_id, competes = letter.session_id, None
        try:
            record = read(letter)
        except PoisonError:
            pass
        else:
            session_id, competes = record.session_id, scope(record)
        later = self._numbers.get(where, {}).get(competes or (), ())
        return Surroundings(
            partitions=self._partitions,
            begins=self._begins.get(where, 0),
            acknowledged=self._acknowledged.get(why.app, {}).get(
                TopicPartition(topic_name(self._settings, source), why.partition)
            ),
            latest_seq=max((seq for offset, seq in later if self._came_behind(letter, offset)), default=-1),
            session=self._sessions.get(session_id or ""),
        )

    def _came_behind(self, letter: Letter, offset: int) -> bool:
        """Whether a record behind the letter was read by an app that put the letter aside."""
        topic, partition, own = letter.why.topic, letter.why.partition, letter.why.offset
        without = self._aside.get((topic, partition, offset), set())
        return offset > own and not without >= self._aside[topic, partition, own]

    def note(self, letter: Letter) -> None:
        """A letter was written back, and lies behind all that was read."""
        record = read(letter)
        if isinstance(record, Numbered):
            found = self._numbers[letter.why.topic, letter.why.partition]
            found.setdefault(scope(record) or (), []).append((_BEHIND, record.seq))

    async def _read_source(self, topic: Topic, partition: int) -> None:
        found: dict[tuple[object, ...], list[tuple[int, int]]] = defaultdict(list)
        async with open_reader(self._settings, [topic], [partition]) as reader:
            (place,) = reader.assignment()
            self._begins[topic.name, partition] = (await reader.beginning_offsets([place]))[place]
            self._partitions = len(reader.partitions_for_topic(place.topic) or ())
            if topic is not AUDIO:  # samples tell repeats there
                async for record in read_to_end(reader):
                    event = _event(record.value, record.headers)
                    if isinstance(event, Numbered):
                        found[scope(event) or ()].append((record.offset, event.seq))
        self._numbers[topic.name, partition] = found

    async def _committed(self, app: str) -> dict[TopicPartition, int]:
        admin = AIOKafkaAdminClient(**client_options(self._settings))
        try:
            await admin.start()
            offsets = await admin.list_consumer_group_offsets(f"{self._settings.topic_prefix}.{app}")
        except KafkaError as error:
            raise FatalError(f"Kafka does not tell what {app} has acknowledged: {error!r}") from error
        finally:
            await admin.close()
        return {place: found.offset for place, found in offsets.items()}


async def replay(
    settings: Settings, chosen: Sequence[Kept], *, dry_run: bool = False
) -> AsyncIterator[tuple[Kept, str | None]]:
    """Write letters back to where they came from, in the order in which they lay there; each with why it was not.

    Durable, and marked as replayed, before it is given out. With ``dry_run`` nothing is written. What several apps put
    aside is written once, for all of them.
    """
    waiting = {each.letter.id: each for each in await read_letters(settings) if each.done is None}
    twins = defaultdict(list)
    for each in waiting.values():
        twins[each.letter.place].append(each.letter)
    ledger, served = Ledger(settings), set[str]()
    await ledger.read([each.letter for each in waiting.values()])
    async with open_publisher(settings) as publisher:
        for kept in sorted(chosen, key=_place):
            letter = kept.letter
            if letter.id in served:
                yield kept, None
                continue
            why = why_not(kept, ledger.around(letter)) or _why_not_first(kept, waiting.values(), ledger)
            if why is None:
                if not dry_run:
                    source, session_id = SOURCES[letter.why.topic], read(letter).session_id
                    await publisher.write(source, session_id, letter.key or b"", letter.value, letter.headers)
                for twin in twins[letter.place]:
                    if not dry_run:
                        await mark(publisher, twin, "replayed")
                    served.add(twin.id)
                    waiting.pop(twin.id)
                ledger.note(letter)
            yield kept, why


def _place(kept: Kept) -> tuple[str, int, int]:
    why = kept.letter.why
    return why.topic, why.partition, why.offset


def _why_not_first(kept: Kept, waiting: Iterable[Kept], ledger: Ledger) -> str | None:
    """Why another letter of the same session has to go first: behind this one it would be a repeat."""
    competes = scope(read(kept.letter))
    for other in waiting:
        is_before = _place(other)[:2] == _place(kept)[:2] and other.letter.why.offset < kept.letter.why.offset
        if not is_before or competes is None or why_not(other, ledger.around(other.letter)) is not None:
            continue
        if scope(read(other.letter)) == competes:
            return f"{other.letter.id} of the same session comes before it: replay or drop that one first"
    return None


def _event(value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> object:
    try:
        return decode(value, headers)
    except PoisonError:
        return None
