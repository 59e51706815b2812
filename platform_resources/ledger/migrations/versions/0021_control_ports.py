"""What control ports got: nothing so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "control_deliveries",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("tried_at", MomentColumn(), nullable=False),
        sa.Column("next_at", MomentColumn(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("taken_at", MomentColumn(), nullable=True),
        sa.PrimaryKeyConstraint("product", "port", "item", name="pk_control_deliveries"),
    )
