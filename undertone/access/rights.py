"""What one may do, what a route asks for, and who is asking."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

SessionRight: TypeAlias = Literal["write", "read"]
"""What a session's own token may do."""


class Right(StrEnum):
    """A right of a login or an API key."""

    RECORD = "record"  # make sessions
    READ = "read"  # all sessions
    OPERATE = "operate"  # both, and delete


@dataclass(frozen=True)
class Need:
    """What a route asks for: this right, or a token of the session in its path with that one. Neither: nothing."""

    right: Right | None = None
    session: SessionRight | None = None

    def __str__(self) -> str:
        """As the documents say it."""
        token = {"read": "the session's token", "write": "the session's write token", None: ""}[self.session]
        return " or ".join(word for word in (self.right, token) if word)


PUBLIC = Need()
Needs: TypeAlias = Mapping[tuple[str, str], Need]
"""What each route of a side asks for, by method (``WS`` for a WebSocket) and path as in the route."""


@dataclass(frozen=True)
class Caller:
    """Who asks, by a login or key (``rights``) or by a session's token (``session_id``).

    ``name`` is for counting. ``maker`` stands in a session's token for the caller who made the session (``digest``).
    """

    name: str
    rights: frozenset[Right] = frozenset()
    session_id: str | None = None
    maker: str | None = None

    @property
    def digest(self) -> str | None:
        """The caller in the tokens of sessions that it makes: those who are given one do not learn the key's name."""
        return None if self.name == ANYBODY.name else hashlib.sha256(self.name.encode()).hexdigest()[:16]

    def may(self, right: Right) -> bool:
        """Whether the caller has the right, itself or with the greatest."""
        return not self.rights.isdisjoint({right, Right.OPERATE})


ANYBODY = Caller("anybody")


def read_rights(words: Iterable[str]) -> frozenset[Right]:
    """The rights of these names. Raises ``ValueError`` for others, and for none."""
    rights = frozenset(Right(word) for word in words)
    if not rights:
        raise ValueError("no right is named")
    return rights
