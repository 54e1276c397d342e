"""How far the retention of text has removed sessions is kept, so that a restart or a wrong clock removes no more."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "horizon",
        sa.Column("one", sa.Boolean, sa.CheckConstraint("one"), primary_key=True),
        sa.Column("kept_from", sa.Text(collation="C"), nullable=False),
        sa.Column("is_behind", sa.Boolean, nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("horizon")
