"""Profiles of published versions. Those of former versions are in no event, so there is nothing to fill in."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, required

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "profiles",
        *required(sa.Text, "product", "data_set", "version", "column_name"),
        *required(sa.Integer, "position"),
        *required(MomentColumn, "published_at"),
        *required(sa.JSON, "profile"),
        *required(sa.Text, "run_id"),
        *required(sa.BigInteger, "log_id"),
        sa.PrimaryKeyConstraint("product", "data_set", "version", "column_name", name="pk_profiles"),
        sqlite_with_rowid=False,
    )
