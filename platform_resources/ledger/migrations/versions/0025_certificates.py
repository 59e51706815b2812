"""Certificates that people have granted: none so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "certificates",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("since", MomentColumn(), nullable=False),
        sa.Column("until", MomentColumn(), nullable=False),
        sa.Column("criteria", sa.JSON(), nullable=False),
        sa.Column("ended_at", MomentColumn()),
        sa.Column("ended_because", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_certificates"),
    )
    op.create_index("ix_certificates_product", "certificates", ["product"])
