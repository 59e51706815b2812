"""Incidents as the board has them, the outbox, reads. What is dropped was never written."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber

revision = "0002"
down_revision = "0001"

DROPPED = ("acknowledgements", "incident_events", "incident_impacts", "notifications", "incidents")
LIVE = sa.text("status <> 'resolved'")
OPEN = sa.text("sent_at is null and given_up_at is null and withdrawn_at is null")


def upgrade() -> None:
    for table in DROPPED:
        op.drop_table(table)
    _incidents()
    _outbox()
    _reads()


def _incidents() -> None:
    op.create_table(
        "signals",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("recent", sa.Text(), nullable=False),
        sa.Column("last_at", MomentColumn()),
        sa.Column("last_bad_at", MomentColumn()),
        sa.Column("failing_since", MomentColumn()),
        sa.Column("well_since", MomentColumn()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("product", "check_name", name="pk_signals"),
    )
    op.create_table(
        "incidents",
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("began_at", MomentColumn(), nullable=False),
        sa.Column("opened_at", MomentColumn(), nullable=False),
        sa.Column("changed_at", MomentColumn(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("acknowledged_at", MomentColumn()),
        sa.Column("started_at", MomentColumn()),
        sa.Column("resolved_at", MomentColumn()),
        sa.Column("resolution", sa.Text()),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("moved_to", sa.JSON(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("cause", "number", name="pk_incidents"),
    )
    op.create_index("ix_incidents_live", "incidents", ["cause"], unique=True, sqlite_where=LIVE, postgresql_where=LIVE)
    op.create_index("ix_incidents_opened_at", "incidents", ["opened_at"])
    op.create_table(
        "incident_events",
        sa.Column("id", RowNumber, nullable=False),
        *_of_incident("incident_events"),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident_events"),
    )
    op.create_index("ix_incident_events_cause_number", "incident_events", ["cause", "number"])
    op.create_table(
        "incident_impacts",
        *_of_incident("incident_impacts"),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("since", MomentColumn(), nullable=False),
        sa.PrimaryKeyConstraint("cause", "number", "product", name="pk_incident_impacts"),
    )
    op.create_index("ix_incident_impacts_product", "incident_impacts", ["product"])
    op.create_table(
        "incident_checks",
        *_of_incident("incident_checks"),
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("cause", "number", "check_name", name="pk_incident_checks"),
    )


def _of_incident(table: str) -> tuple[sa.Column[str], sa.Column[int], sa.ForeignKeyConstraint]:
    return (
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["cause", "number"], ["incidents.cause", "incidents.number"], name=f"fk_{table}_cause"),
    )


def _outbox() -> None:
    op.create_table(
        "messages",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("incident", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("not_before", MomentColumn(), nullable=False),
        sa.Column("created_at", MomentColumn(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_since", MomentColumn()),
        sa.Column("next_at", MomentColumn()),
        sa.Column("claimed_by", sa.Text()),
        sa.Column("claimed_at", MomentColumn()),
        sa.Column("claimed_until", MomentColumn()),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("sent_at", MomentColumn()),
        sa.Column("given_up_at", MomentColumn()),
        sa.Column("withdrawn_at", MomentColumn()),
        sa.Column("withdrawn_because", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_messages"),
    )
    op.create_index("ix_messages_due", "messages", ["not_before"], unique=False, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_messages_incident", "messages", ["incident"])
    op.create_index("ix_messages_created_at", "messages", ["created_at"])


def _reads() -> None:
    op.create_table(
        "reads",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_reads"),
    )
    op.create_index("ix_reads_product_at", "reads", ["product", "at"])
