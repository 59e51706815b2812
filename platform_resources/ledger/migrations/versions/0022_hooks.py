"""Machines that are told of new versions: none so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber, optional, required

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "version_hooks",
        *required(RowNumber, "id"),
        *required(sa.Text, "product", "person", "url", "secret"),
        *required(MomentColumn, "since"),
        *optional(MomentColumn, "ended_at"),
        sa.PrimaryKeyConstraint("id", name="pk_version_hooks"),
    )
    op.create_index("ix_version_hooks_product", "version_hooks", ["product"])
