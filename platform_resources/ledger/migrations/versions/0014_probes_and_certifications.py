"""What known consumers answered last when they were asked, and since when each product is known to be certified."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "consumer_probes",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("consumer", sa.Text(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("answers", sa.Boolean(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("product", "consumer", name="pk_consumer_probes"),
    )
    op.create_table(
        "certifications",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("since", MomentColumn(), nullable=False),
        sa.PrimaryKeyConstraint("product", name="pk_certifications"),
    )
