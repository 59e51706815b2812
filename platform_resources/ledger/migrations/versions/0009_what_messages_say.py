"""A message keeps what it says of products, which is looked at once more when it is sent. Older ones have nothing to be looked at."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("messages", sa.Column("says", sa.JSON, nullable=False, server_default="[]"))
