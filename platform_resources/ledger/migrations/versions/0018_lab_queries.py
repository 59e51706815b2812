"""Queries of the data lab: nothing so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "lab_queries",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lab_queries"),
    )
    op.create_index("ix_lab_queries_title", "lab_queries", ["title"])
