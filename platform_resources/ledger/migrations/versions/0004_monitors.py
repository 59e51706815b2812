"""Monitors as they were applied: none so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber, optional, required

revision = "0004"
down_revision = "0003"

DEPLOYED = sa.text("ended_at is null")


def upgrade() -> None:
    op.create_table(
        "monitors",
        *required(RowNumber, "id"),
        *required(sa.Text, "product", "domain", "name", "fingerprint"),
        *required(sa.JSON, "definition", "work"),
        *required(MomentColumn, "applied_at"),
        *required(sa.Text, "applied_by"),
        *optional(MomentColumn, "ended_at"),
        *optional(sa.Text, "ended_by"),
        sa.PrimaryKeyConstraint("id", name="pk_monitors"),
    )
    op.create_index("ix_monitors_deployed", "monitors", ["product", "name"], unique=True, sqlite_where=DEPLOYED, postgresql_where=DEPLOYED)
