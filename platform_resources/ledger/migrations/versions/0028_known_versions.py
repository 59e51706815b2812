"""Versions that there were when a machine began to hear of new ones: not known of those that hear so far, which go by time."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("version_hooks", sa.Column("known", sa.JSON()))
