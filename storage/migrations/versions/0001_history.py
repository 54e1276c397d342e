"""The history: sessions, utterances, windows, and how far each of their topics is stored."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

_ID = sa.Text(collation="C")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables and the indexes that the read side's queries walk."""
    op.create_table(
        "sessions",
        sa.Column("session_id", _ID, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("through", sa.BigInteger, nullable=False),
        sa.Column("language", sa.Text),
        sa.Column("language_probability", sa.Double),
        sa.Column("title", sa.Text),
        sa.Column("tags", sa.ARRAY(sa.Text), nullable=False),
        sa.Column("started_at", _TIME),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("ended_at", _TIME),
        sa.Column("utterances", sa.BigInteger, nullable=False),
        sa.Column("suppressed", sa.BigInteger, nullable=False),
        sa.Column("resume", JSONB, nullable=False),
        sa.Column("log_offset", sa.BigInteger, nullable=False),
    )
    op.create_index("sessions_by_state", "sessions", ["state", "session_id"])
    op.create_table(
        "utterances",
        sa.Column("utterance_id", _ID, primary_key=True),
        sa.Column("session_id", _ID, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("through", sa.BigInteger, nullable=False),
        sa.Column("first_sample", sa.BigInteger, nullable=False),
        sa.Column("end_sample", sa.BigInteger, nullable=False),
        sa.Column("start_ms", sa.BigInteger, nullable=False),
        sa.Column("end_ms", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("language", sa.Text),
        sa.Column("language_probability", sa.Double),
        sa.Column("loudness_dbfs", sa.Double, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("quality", JSONB, nullable=False),
        sa.Column("audio", JSONB, nullable=False),
        sa.Column("timing", JSONB, nullable=False),
        sa.Column("sentiment", JSONB),
        sa.Column("suppressed", sa.Text, sa.Computed("quality ->> 'suppressed'", persisted=True)),
        sa.Column("label", sa.Text, sa.Computed("sentiment ->> 'label'", persisted=True)),
        sa.Column("score", sa.Double, sa.Computed("(sentiment ->> 'score')::double precision", persisted=True)),
    )
    op.create_index("utterances_of_session", "utterances", ["session_id", "first_sample"], unique=True)
    op.create_table(
        "windows",
        sa.Column("session_id", _ID, primary_key=True),
        sa.Column("size_ms", sa.BigInteger, primary_key=True),
        sa.Column("start_ms", sa.BigInteger, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("final", sa.Boolean, nullable=False),
        sa.Column("utterances", sa.BigInteger, nullable=False),
        sa.Column("positive", sa.BigInteger, nullable=False),
        sa.Column("neutral", sa.BigInteger, nullable=False),
        sa.Column("negative", sa.BigInteger, nullable=False),
        sa.Column("score", sa.Double),
        sa.Column("talk_ms", sa.BigInteger, nullable=False),
        sa.Column("silence_ms", sa.BigInteger, nullable=False),
        sa.Column("words", sa.BigInteger, nullable=False),
        sa.Column("words_per_minute", sa.BigInteger),
        sa.Column("loudness_dbfs", sa.Double),
    )
    op.create_table(
        "progress",
        sa.Column("session_id", _ID, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("through", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "source_offsets",
        sa.Column("topic", _ID, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    """Drop the history."""
    for table in ("source_offsets", "progress", "windows", "utterances", "sessions"):
        op.drop_table(table)
