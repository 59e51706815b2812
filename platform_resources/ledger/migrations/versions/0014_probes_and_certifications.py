"""What known consumers answered last when they were asked, and since when each product is known to be certified."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, required

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "consumer_probes",
        *required(sa.Text, "product", "consumer"),
        *required(MomentColumn, "at"),
        *required(sa.Boolean, "answers"),
        *required(sa.Text, "said"),
        sa.PrimaryKeyConstraint("product", "consumer", name="pk_consumer_probes"),
    )
    op.create_table(
        "certifications",
        *required(sa.Text, "product"),
        *required(MomentColumn, "since"),
        sa.PrimaryKeyConstraint("product", name="pk_certifications"),
    )
