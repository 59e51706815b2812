"""Queries of the data lab: nothing so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber, required

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "lab_queries",
        *required(RowNumber, "id"),
        *required(sa.Text, "person"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "product", "query"),
        *required(sa.Float, "seconds"),
        *required(sa.Text, "title"),
        sa.PrimaryKeyConstraint("id", name="pk_lab_queries"),
    )
    op.create_index("ix_lab_queries_title", "lab_queries", ["title"])
