"""What people say of products: nothing so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=False),
        sa.Column("answered_at", MomentColumn()),
        sa.Column("hidden_by", sa.Text(), nullable=False),
        sa.Column("hidden_because", sa.Text(), nullable=False),
        sa.Column("hidden_at", MomentColumn()),
        sa.PrimaryKeyConstraint("product", "person", name="pk_reviews"),
    )
