"""Tokens of people, and sessions that were ended: nothing so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber, optional, required

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "access_tokens",
        *required(RowNumber, "id"),
        *required(sa.Text, "digest", "person"),
        *required(sa.JSON, "groups"),
        *required(sa.Text, "title"),
        *required(sa.JSON, "scopes"),
        *required(MomentColumn, "made_at", "expires_at"),
        *optional(MomentColumn, "revoked_at", "last_used_at"),
        sa.PrimaryKeyConstraint("id", name="pk_access_tokens"),
        sa.UniqueConstraint("digest", name="uq_access_tokens_digest"),
    )
    op.create_table(
        "ended_sessions",
        *required(sa.Text, "digest"),
        *required(MomentColumn, "ended_at"),
        sa.PrimaryKeyConstraint("digest", name="pk_ended_sessions"),
    )
