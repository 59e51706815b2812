"""Under which contract each version was published."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "published_contracts",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("contract", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("product", "version", name="pk_published_contracts"),
    )
