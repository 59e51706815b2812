"""Who asked for which role of which product, and what was decided: nothing so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber, optional, required

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "grants",
        *required(RowNumber, "id"),
        *required(sa.Text, "product", "role", "subject", "purpose"),
        *required(sa.JSON, "attributes"),
        *required(sa.Text, "requested_by"),
        *required(MomentColumn, "requested_at"),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
    )
    op.create_index("ix_grants_product", "grants", ["product"])
    op.create_index("ix_grants_subject", "grants", ["subject"])
    op.create_table(
        "grant_events",
        *required(RowNumber, "id"),
        *required(sa.BigInteger, "grant_id"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "act", "person", "why"),
        *optional(MomentColumn, "until"),
        sa.PrimaryKeyConstraint("id", name="pk_grant_events"),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.id"], name="fk_grant_events_grant_id_grants"),
    )
    op.create_index("ix_grant_events_grant_id", "grant_events", ["grant_id"])
