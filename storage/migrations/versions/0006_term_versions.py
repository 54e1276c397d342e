"""Utterances keep the version of their search terms; those that are there have version 1.

It rewrites no row. To make the index it reads the table once, in which time the archivist waits and search goes on. The
archivist of the new version then renews the terms in batches (``storage/term_renewal.py``).
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column, and the index of the rows that are still to be renewed."""
    op.add_column("utterances", sa.Column("terms_version", sa.SmallInteger, nullable=False, server_default="1"))
    op.create_index(
        "utterances_of_earlier_terms",
        "utterances",
        ["utterance_id"],
        postgresql_where=sa.text("terms IS NOT NULL AND terms_version < 2"),
    )


def downgrade() -> None:
    """Drop them again; rows keep the terms that they have."""
    op.drop_index("utterances_of_earlier_terms", "utterances")
    op.drop_column("utterances", "terms_version")
