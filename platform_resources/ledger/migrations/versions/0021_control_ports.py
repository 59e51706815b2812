"""What control ports got: nothing so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, optional, required

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "control_deliveries",
        *required(sa.Text, "product", "port", "item", "content", "version"),
        *required(MomentColumn, "tried_at", "next_at"),
        *required(sa.Integer, "attempts"),
        *required(sa.Text, "last_error"),
        *optional(MomentColumn, "taken_at"),
        sa.PrimaryKeyConstraint("product", "port", "item", name="pk_control_deliveries"),
    )
