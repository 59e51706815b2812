"""Expectations that consumers have proposed: none so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "expectations",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("component", sa.JSON(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("tried", sa.Text(), nullable=False),
        sa.Column("since", MomentColumn(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", MomentColumn()),
        sa.PrimaryKeyConstraint("id", name="pk_expectations"),
    )
    op.create_index("ix_expectations_product", "expectations", ["product"])
