"""Who asked for which role of which product, and what was decided: nothing so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "grants",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", MomentColumn(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
    )
    op.create_index("ix_grants_product", "grants", ["product"])
    op.create_index("ix_grants_subject", "grants", ["subject"])
    op.create_table(
        "grant_events",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("grant_id", sa.BigInteger(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("until", MomentColumn()),
        sa.PrimaryKeyConstraint("id", name="pk_grant_events"),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.id"], name="fk_grant_events_grant_id_grants"),
    )
    op.create_index("ix_grant_events_grant_id", "grant_events", ["grant_id"])
