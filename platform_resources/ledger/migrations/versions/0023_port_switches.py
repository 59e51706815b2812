"""Consumers that have moved from a port that ends: none so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "port_switches",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.PrimaryKeyConstraint("product", "port", "consumer", name="pk_port_switches"),
    )
