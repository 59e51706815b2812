"""Scores of products: none so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, required

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "scores",
        *required(sa.Text, "product"),
        *required(MomentColumn, "at"),
        *required(sa.Integer, "total"),
        *required(sa.Text, "badge"),
        *required(sa.JSON, "letters"),
        sa.PrimaryKeyConstraint("product", "at", name="pk_scores"),
    )
    op.create_table(
        "newest_scores",
        *required(sa.Text, "product"),
        *required(MomentColumn, "at"),
        *required(sa.Integer, "total"),
        *required(sa.Text, "badge"),
        *required(sa.JSON, "letters", "told", "tried"),
        sa.PrimaryKeyConstraint("product", name="pk_newest_scores"),
    )
