"""Readings say what was promised of their value, in which unit, and whether what is usual is still being learned."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("readings", sa.Column("unit", sa.Text, nullable=False, server_default=""))
    op.add_column("readings", sa.Column("at_least", sa.Double))
    op.add_column("readings", sa.Column("at_most", sa.Double))
    op.add_column("readings", sa.Column("learning", sa.Boolean, nullable=False, server_default=sa.false()))
