"""The watermark of a version may be unknown; before, a version without one counted as of its publication."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("publications", sa.Column("watermark_unknown", sa.Boolean, nullable=False, server_default=sa.false()))
