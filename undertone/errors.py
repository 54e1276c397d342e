"""One small tree of errors. The branch decides what happens next; the message says cause and remedy."""


class UndertoneError(Exception):
    """Root of the tree. ``str(error)`` is one sentence of cause and, where there is one, one of remedy."""


class PoisonError(UndertoneError):
    """This record can never be processed: it goes to the dead letters and its partition goes on."""


class NewerError(PoisonError):
    """This record is of a schema that only a newer program reads."""


class TransientError(UndertoneError):
    """Something outside is away for a while: retry with jitter, bounded (``undertone.retry``)."""


class FatalError(UndertoneError):
    """This process cannot do its work: it stops, prints the message, and exits with status 1."""


class Refusal(UndertoneError):  # noqa: N818 - not a fault of ours: an answer to a caller
    """What a caller asked for is not done, and the caller is told why.

    ``code`` is a stable slug (documented in docs/http.md), ``status`` the HTTP status; over a WebSocket the
    connection closes with ``4000 + status`` and the slug as its reason.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int,
        retryable: bool = False,
        retry_after_ms: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.retryable = retryable
        self.retry_after_ms = retry_after_ms

    @property
    def close_code(self) -> int:
        """The WebSocket close code, in the range 4000-4999 that RFC 6455 leaves to applications."""
        return 4000 + self.status

    def body(self) -> dict[str, object]:
        """The JSON that both HTTP and the WebSocket carry."""
        return {
            "type": "error",
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
            "retry_after_ms": self.retry_after_ms,
        }
