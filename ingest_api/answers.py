"""The answers of the write side, as OpenAPI describes them."""

from datetime import datetime
from typing import Literal

from ingest_api.limits import Limits
from undertone.events import Value


class Made(Value):
    """A new session, its tokens, and what a recorder may send."""

    session_id: str
    write_token: str
    read_token: str
    limits: Limits


class Taken(Value):
    """A chunk is durable: the next one begins at ``next_sample``."""

    next_sample: int


class Finished(Value):
    """The session has ended, and all of it is final."""

    type: Literal["finished"]
    samples: int
    utterances: int


class Stopping(Value):
    """The session is stopped, and its last utterances are on their way: ask again."""

    type: Literal["stopping"]
    samples: int


class Places(Value):
    """Where to look next: paths of the read side."""

    session: str
    utterances: str
    events: str


class FileNote(Value):
    """Something about a file that was taken: that it is truncated, or holds several tracks."""

    code: str
    message: str


class FileTaken(Value):
    """The whole file is durable. ``peak_dbfs`` is its largest sample below full scale; none for digital silence."""

    samples: int
    peak_dbfs: float | None
    notes: list[FileNote]
    next: Places


class Deleted(Value):
    """The answer: since when nobody can read anything of the session, and when the logs hold nothing of it either."""

    session_id: str
    deleted_at: datetime
    gone_from_logs_by: datetime
