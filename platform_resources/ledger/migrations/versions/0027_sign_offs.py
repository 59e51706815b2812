"""Stages of life that people have signed products off for: no certificate so far is one of these."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("certificates", sa.Column("stage", sa.Text(), nullable=False, server_default=""))
