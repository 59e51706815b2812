"""Scorecards say whether a version was held back, and runs whether a gate was closed; former ones said it only in their words."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

CLOSED = ("not published, the gate is closed%", "%DagsterAssetCheckFailedError:%")


def upgrade() -> None:
    op.add_column("scorecards", sa.Column("held_back", sa.Text, nullable=False, server_default=""))
    op.add_column("runs", sa.Column("closed_gate", sa.Boolean, nullable=False, server_default=sa.false()))
    cards = sa.table("scorecards", sa.column("outcome", sa.Text), sa.column("held_back", sa.Text))
    made = cards.c.outcome.like("not published%") & ~cards.c.outcome.like("not published, nothing changed%")
    op.execute(cards.update().where(made).values(held_back=sa.func.ltrim(sa.func.substr(cards.c.outcome, 14), ",: ")))
    runs = sa.table("runs", sa.column("reason", sa.Text), sa.column("closed_gate", sa.Boolean))
    op.execute(runs.update().where(sa.or_(*(runs.c.reason.like(words) for words in CLOSED))).values(closed_gate=sa.true()))
