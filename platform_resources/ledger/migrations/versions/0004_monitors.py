"""Monitors as they were applied: none so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber

revision = "0004"
down_revision = "0003"

DEPLOYED = sa.text("ended_at is null")


def upgrade() -> None:
    op.create_table(
        "monitors",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.Column("work", sa.JSON(), nullable=False),
        sa.Column("applied_at", MomentColumn(), nullable=False),
        sa.Column("applied_by", sa.Text(), nullable=False),
        sa.Column("ended_at", MomentColumn()),
        sa.Column("ended_by", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_monitors"),
    )
    op.create_index("ix_monitors_deployed", "monitors", ["product", "name"], unique=True, sqlite_where=DEPLOYED, postgresql_where=DEPLOYED)
