"""Expectations that consumers have proposed: none so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber, optional, required

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "expectations",
        *required(RowNumber, "id"),
        *required(sa.Text, "product", "title"),
        *required(sa.JSON, "component"),
        *required(sa.Text, "purpose", "person", "tried"),
        *required(MomentColumn, "since"),
        *required(sa.Text, "outcome", "why", "decided_by"),
        *optional(MomentColumn, "decided_at"),
        sa.PrimaryKeyConstraint("id", name="pk_expectations"),
    )
    op.create_index("ix_expectations_product", "expectations", ["product"])
