"""Scores of products: none so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "scores",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("badge", sa.Text(), nullable=False),
        sa.Column("letters", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("product", "at", name="pk_scores"),
    )
    op.create_table(
        "newest_scores",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("badge", sa.Text(), nullable=False),
        sa.Column("letters", sa.JSON(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=False),
        sa.Column("tried", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("product", name="pk_newest_scores"),
    )
