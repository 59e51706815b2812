"""Certificates that people have granted: none so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber, optional, required

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.create_table(
        "certificates",
        *required(RowNumber, "id"),
        *required(sa.Text, "product", "person", "why"),
        *required(MomentColumn, "since", "until"),
        *required(sa.JSON, "criteria"),
        *optional(MomentColumn, "ended_at"),
        *required(sa.Text, "ended_because"),
        sa.PrimaryKeyConstraint("id", name="pk_certificates"),
    )
    op.create_index("ix_certificates_product", "certificates", ["product"])
