"""Of each product, when what is known of it was written last, and the latest moment that any of it is stamped with."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, required

revision = "0013"
down_revision = "0012"

TIMES = (("publications", "published_at"), ("input_states", "at"), ("scorecards", "at"), ("runs", "started_at"), ("runs", "ended_at"))


def upgrade() -> None:
    changes = op.create_table(
        "product_changes",
        *required(sa.Text, "product"),
        *required(sa.BigInteger, "number"),
        *required(MomentColumn, "latest_at"),
        sa.PrimaryKeyConstraint("product", name="pk_product_changes"),
    )
    known = sa.union_all(*(_latest(table, time) for table, time in TIMES), _latest_readings()).subquery()
    latest = sa.select(known.c.product, sa.literal(0), sa.func.max(known.c.at)).where(known.c.at.is_not(None)).group_by(known.c.product)
    op.execute(sa.insert(changes).from_select(["product", "number", "latest_at"], latest))


def _latest(name: str, time: str) -> sa.Select[Any]:
    table = sa.table(name, sa.column("product", sa.Text), sa.column(time, MomentColumn))
    return sa.select(table.c.product, sa.func.max(table.c[time]).label("at")).group_by(table.c.product)


def _latest_readings() -> sa.Select[Any]:
    checks = sa.table("checks", sa.column("id", sa.BigInteger), sa.column("product", sa.Text))
    readings = sa.table("readings", sa.column("check_id", sa.BigInteger), sa.column("at", MomentColumn))
    newest = sa.select(sa.func.max(readings.c.at)).where(readings.c.check_id == checks.c.id).scalar_subquery()
    return sa.select(checks.c.product, newest.label("at"))
