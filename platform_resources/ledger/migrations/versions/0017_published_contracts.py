"""Under which contract each version was published."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, required

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "published_contracts",
        *required(sa.Text, "product", "version"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "contract"),
        sa.PrimaryKeyConstraint("product", "version", name="pk_published_contracts"),
    )
