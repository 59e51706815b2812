"""What a warehouse has noted of use: nothing so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, required

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("reads", sa.Column("columns", sa.JSON()))
    op.create_table(
        "refresh_credits",
        *required(sa.Text, "run_id", "product"),
        *required(sa.Float, "credits"),
        sa.PrimaryKeyConstraint("run_id", name="pk_refresh_credits"),
    )
    op.create_index("ix_refresh_credits_product", "refresh_credits", ["product"])
    op.create_table(
        "use_known",
        *required(sa.Text, "name"),
        *required(MomentColumn, "until"),
        sa.PrimaryKeyConstraint("name", name="pk_use_known"),
    )
