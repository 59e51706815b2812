"""Consumers that have moved from a port that ends: none so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, required

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "port_switches",
        *required(sa.Text, "product", "port", "consumer", "person"),
        *required(MomentColumn, "at"),
        sa.PrimaryKeyConstraint("product", "port", "consumer", name="pk_port_switches"),
    )
