"""Runs and signals name what failed, one a line, so that a new failure can be told from the same one again."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    for table in ("runs", "signals"):
        op.add_column(table, sa.Column("failures", sa.Text, nullable=False, server_default=""))
