"""Windows keep their lowest and highest score and their longest pause; null in the rows that are there already."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns: no row is rewritten, so it takes a moment however many there are."""
    op.add_column("windows", sa.Column("score_min", sa.Double))
    op.add_column("windows", sa.Column("score_max", sa.Double))
    op.add_column("windows", sa.Column("longest_pause_ms", sa.BigInteger))


def downgrade() -> None:
    """Drop them again."""
    for column in ("longest_pause_ms", "score_max", "score_min"):
        op.drop_column("windows", column)
