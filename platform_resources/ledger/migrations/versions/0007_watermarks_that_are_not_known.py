"""A version may say that it is not known until when it knows the world; until now, each was as of a time."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("publications", sa.Column("watermark_unknown", sa.Boolean, nullable=False, server_default=sa.false()))
