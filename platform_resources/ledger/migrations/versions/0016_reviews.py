"""What people say of products: nothing so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, optional, required

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "reviews",
        *required(sa.Text, "product", "person"),
        *required(sa.Integer, "stars"),
        *required(sa.Text, "said"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "answer", "answered_by"),
        *optional(MomentColumn, "answered_at"),
        *required(sa.Text, "hidden_by", "hidden_because"),
        *optional(MomentColumn, "hidden_at"),
        sa.PrimaryKeyConstraint("product", "person", name="pk_reviews"),
    )
