"""When a dead letter may go back to its topic. Pure.

A record that is read behind others of its session changes nothing: whoever keeps something drops what is at or below
the highest ``seq`` it applied. So a replay that comes too late is refused, and one that is done adds what was missing,
once.
"""

from dataclasses import dataclass

from undertone.codec import decode, decode_audio
from undertone.commands.letters import Kept
from undertone.errors import PoisonError
from undertone.events import Mark, Session, Transcript, Utterance, Window
from undertone.letters import Letter
from undertone.records import Audio, AudioRecord
from undertone.topics import AUDIO, SESSIONS, TRANSCRIPTS, UTTERANCES, WINDOWS, Topic, place

SOURCES: dict[str, Topic] = {topic.name: topic for topic in (AUDIO, SESSIONS, TRANSCRIPTS, UTTERANCES, WINDOWS)}
_KINDS = {
    TRANSCRIPTS.name: (Transcript, Mark),
    UTTERANCES.name: (Utterance, Mark),
    SESSIONS.name: (Session,),
    WINDOWS.name: (Window,),
}
Numbered = Transcript | Mark | Utterance | Session | Window


@dataclass(frozen=True)
class Surroundings:
    """What Kafka says of a letter: ``begins`` is the first offset that its partition still has, ``acknowledged`` what
    its app reads next, ``latest_seq`` the highest behind it that would make it a repeat, ``session`` the newest state.
    """

    partitions: int
    begins: int
    acknowledged: int | None
    latest_seq: int
    session: Session | None


def read(letter: Letter) -> Numbered | AudioRecord:
    """What the letter holds, if this program can read it. Raises ``PoisonError``."""
    if letter.why.topic == AUDIO.name:
        return decode_audio(letter.key, letter.value, letter.headers)
    event = decode(letter.value, letter.headers)
    if type(event) not in _KINDS.get(letter.why.topic, ()) or not isinstance(event, Numbered):
        raise PoisonError(f"a {event.type} event does not belong into {letter.why.topic}")
    return event


def scope(event: object) -> tuple[object, ...] | None:
    """What a record competes with by ``seq``: its session, or its window. None for a record without ``seq``."""
    match event:
        case Window():
            return (event.session_id, event.size_ms, event.start_ms)
        case Transcript() | Mark() | Session():
            return (event.session_id,)
    return None


def why_not(kept: Kept, around: Surroundings) -> str | None:
    """Why the letter stays where it is; None if it may go back."""
    return _why_not_at_all(kept) or _why_not_here(kept.letter, around) or _why_not_now(kept.letter, around)


def _why_not_at_all(kept: Kept) -> str | None:
    why = kept.letter.why
    if kept.is_deleted:
        return "its session was deleted"
    if kept.done == "replayed":
        return "it was replayed before"
    if kept.letter.is_cut:
        return "it was too large to be kept whole"
    if why.given_out:
        return "something was given out in its place, and what is given out is final"
    if why.topic not in SOURCES or (why.topic, why.app) == (SESSIONS.name, "transcriber"):
        return f"{why.topic} is the memory of its app, which alone writes there"
    return None


def _why_not_here(letter: Letter, around: Surroundings) -> str | None:
    why = letter.why
    try:
        record = read(letter)
    except PoisonError as error:
        return f"this program cannot read it either: {error}"
    belongs = place(record.session_id, around.partitions)
    if belongs != why.partition:
        return f"its session belongs into partition {belongs}: its producer must write it again"
    if around.acknowledged is None or around.acknowledged <= why.offset:
        return f"{why.app} has not acknowledged it and reads it again by itself"
    if around.begins > why.offset:
        return f"{why.topic} no longer goes back to it, so that nobody can tell what came after it"
    return None


def _why_not_now(letter: Letter, around: Surroundings) -> str | None:
    record, session = read(letter), around.session
    if session is not None and session.state == "deleted":
        return "its session was deleted"
    if isinstance(record, Audio):
        return _why_not_heard(record, session)
    if not isinstance(record, Numbered):
        return f"an {type(record).__name__.lower()} is of its moment: later audio was heard without it"
    if around.latest_seq >= record.seq:
        return f"its session went on to {around.latest_seq}, and {record.seq} would be a repeat behind it"
    if not isinstance(record, Transcript) and (session is None or not session.is_over):
        return "its session is not stopped, and may write a later one at any moment"
    return None


def _why_not_heard(record: Audio, session: Session | None) -> str | None:
    if session is None or session.state in {"open", "live"}:
        return "its session is not at rest: what will be heard next cannot be told"
    if session.is_over:
        return "its session is over"
    if session.resume.connection != record.connection:
        return "its recorder's connection is no longer the session's"
    if not record.at <= session.through < record.end:
        return f"the session was heard up to sample {session.through}, and it holds {record.at} to {record.end}"
    return None
