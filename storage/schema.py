"""The tables. Every field of an event has its column; parts that are only read back whole are JSON.

Names and meanings are those of ``undertone.events``. There are no foreign keys: the topics arrive independently, so
an utterance may be stored before its session. Ids sort bytewise (collation C), session ids thereby by time.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Double,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

metadata = MetaData()

_ID = Text(collation="C")
_JSON = JSONB(none_as_null=True)
_TIME = DateTime(timezone=True)

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", _ID, primary_key=True),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("seq", BigInteger, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("language", Text),
    Column("language_probability", Double),
    Column("title", Text),
    Column("tags", ARRAY(Text), nullable=False),
    Column("started_at", _TIME),
    Column("created_at", _TIME, nullable=False),
    Column("ended_at", _TIME),
    Column("utterances", BigInteger, nullable=False),
    Column("suppressed", BigInteger, nullable=False),
    Column("resume", _JSON, nullable=False),
    # where this version stands in its partition of the topic `sessions`: of two with one seq the later wins
    Column("log_offset", BigInteger, nullable=False),
    Index("sessions_by_state", "state", "session_id"),
    Index("sessions_by_length", "through", "session_id"),
    Index("sessions_by_tag", "tags", postgresql_using="gin"),
)

utterances = Table(
    "utterances",
    metadata,
    Column("utterance_id", _ID, primary_key=True),
    Column("session_id", _ID, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("first_sample", BigInteger, nullable=False),
    Column("end_sample", BigInteger, nullable=False),
    Column("start_ms", BigInteger, nullable=False),
    Column("end_ms", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("language", Text),
    Column("language_probability", Double),
    Column("loudness_dbfs", Double, nullable=False),
    Column("model", Text, nullable=False),
    Column("quality", _JSON, nullable=False),
    Column("audio", _JSON, nullable=False),
    Column("timing", _JSON, nullable=False),
    Column("sentiment", _JSON),
    # what statistics are computed from, as plain columns for SQL
    Column("suppressed", Text, Computed("quality ->> 'suppressed'", persisted=True)),
    Column("label", Text, Computed("sentiment ->> 'label'", persisted=True)),
    Column("score", Double, Computed("(sentiment ->> 'score')::double precision", persisted=True)),
    # how many words the text has, and what it is found by (storage/terms.py, storage/eras.py); null if it is suppressed
    Column("words", BigInteger, nullable=False),
    Column("terms", TSVECTOR),
    Column("eras", ARRAY(Integer)),
    # the tokenizer that made the terms (storage/terms.py); a writer of an older version leaves the default
    Column("terms_version", SmallInteger, nullable=False, server_default="1"),
    Index("utterances_of_session", "session_id", "first_sample", unique=True),
    # without a list of pending entries, which every search would read to its end
    Index("utterances_by_term", "eras", "terms", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
    # which are still to be renewed (storage/term_renewal.py); empty as a rule
    Index(
        "utterances_of_earlier_terms",
        "utterance_id",
        postgresql_where=text("terms IS NOT NULL AND terms_version < 2"),
    ),
)

windows = Table(
    "windows",
    metadata,
    Column("session_id", _ID, primary_key=True),
    Column("size_ms", BigInteger, primary_key=True),
    Column("start_ms", BigInteger, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("final", Boolean, nullable=False),
    Column("utterances", BigInteger, nullable=False),
    Column("positive", BigInteger, nullable=False),
    Column("neutral", BigInteger, nullable=False),
    Column("negative", BigInteger, nullable=False),
    Column("score", Double),
    # null without a judged utterance; these and the longest pause also where an older version wrote the row
    Column("score_min", Double),
    Column("score_max", Double),
    Column("talk_ms", BigInteger, nullable=False),
    Column("silence_ms", BigInteger, nullable=False),
    Column("longest_pause_ms", BigInteger),
    Column("words", BigInteger, nullable=False),
    Column("words_per_minute", BigInteger),
    Column("loudness_dbfs", Double),
)
Index(
    "sessions_by_score", windows.c.score, windows.c.session_id, postgresql_where=windows.c.size_ms == 0
)  # of whole sessions

# how far the finals and marks of each session are applied; those at or below `seq` are repeats
progress = Table(
    "progress",
    metadata,
    Column("session_id", _ID, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("through", BigInteger, nullable=False),
)

# sessions of which no row is kept, nor ever stored again
deletions = Table(
    "deletions",
    metadata,
    Column("session_id", _ID, primary_key=True),
    Column("requested_at", _TIME, nullable=False),
)

# one row: the session id below which the retention of text removes sessions (storage/horizon.py)
horizon = Table(
    "horizon",
    metadata,
    Column("one", Boolean, CheckConstraint("one"), primary_key=True),
    Column("kept_from", _ID, nullable=False),
    Column("is_behind", Boolean, nullable=False),
    Column("moved_at", _TIME, nullable=False),
)

# the next offset to apply of every partition read, stored together with what the earlier ones changed
source_offsets = Table(
    "source_offsets",
    metadata,
    Column("topic", _ID, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
)
