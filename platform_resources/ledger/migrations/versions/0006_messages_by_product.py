"""Messages are found by what they are about and when they were written, without reading those of years."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_index("ix_messages_kind_product_created_at", "messages", ["kind", "product", "created_at"])
