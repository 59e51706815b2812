"""Machines that are told of new versions: none so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "version_hooks",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("since", MomentColumn(), nullable=False),
        sa.Column("ended_at", MomentColumn()),
        sa.PrimaryKeyConstraint("id", name="pk_version_hooks"),
    )
    op.create_index("ix_version_hooks_product", "version_hooks", ["product"])
