"""Which errors of PostgreSQL pass by themselves, and which never will."""

import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import DBAPIError

from storage.engine import translate_errors
from undertone.errors import PoisonError, TransientError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.DiskFull("could not extend file: No space left on device"), TransientError),
        (errors.OutOfMemory("out of memory"), TransientError),
        (errors.AdminShutdown("terminating connection"), TransientError),
        (errors.QueryCanceled("canceling statement due to statement timeout"), TransientError),
        (errors.SerializationFailure("could not serialize access"), TransientError),
        (errors.UndefinedTable('relation "utterances" does not exist'), TransientError),
        (errors.NumericValueOutOfRange("bigint out of range"), PoisonError),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, Exception) else given.__name__,
)
def test_what_passes_is_tried_again_and_what_is_rejected_is_put_aside(
    error: psycopg.Error, expected: type[Exception]
) -> None:
    with pytest.raises(expected), translate_errors():
        raise DBAPIError.instance("INSERT", {}, error, psycopg.Error)
