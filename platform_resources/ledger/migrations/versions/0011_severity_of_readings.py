"""Readings keep their severity. Of former ones it is not known, and they weigh as errors, as they did before."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("readings", sa.Column("severity", sa.Text, nullable=False, server_default="error"))
