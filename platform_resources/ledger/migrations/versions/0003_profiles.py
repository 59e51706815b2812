"""Profiles of published versions. Those of former versions are in no event, so there is nothing to fill in."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "profiles",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("data_set", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("published_at", MomentColumn(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("log_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("product", "data_set", "version", "column_name", name="pk_profiles"),
        sqlite_with_rowid=False,
    )
