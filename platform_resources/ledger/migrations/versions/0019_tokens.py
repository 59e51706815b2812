"""Tokens of people, and sessions that were ended: nothing so far."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "access_tokens",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("made_at", MomentColumn(), nullable=False),
        sa.Column("expires_at", MomentColumn(), nullable=False),
        sa.Column("revoked_at", MomentColumn()),
        sa.Column("last_used_at", MomentColumn()),
        sa.PrimaryKeyConstraint("id", name="pk_access_tokens"),
        sa.UniqueConstraint("digest", name="uq_access_tokens_digest"),
    )
    op.create_table(
        "ended_sessions",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("ended_at", MomentColumn(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_ended_sessions"),
    )
