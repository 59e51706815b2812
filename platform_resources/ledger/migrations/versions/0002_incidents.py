"""Incidents as the board has them, the outbox, reads. What is dropped was never written."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber, optional, required

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
        *required(sa.Text, "product", "check_name", "recent"),
        *optional(MomentColumn, "last_at", "last_bad_at", "failing_since", "well_since"),
        *required(sa.Text, "reason"),
        *required(sa.Boolean, "accepted"),
        sa.PrimaryKeyConstraint("product", "check_name", name="pk_signals"),
    )
    op.create_table(
        "incidents",
        *required(sa.Text, "cause"),
        *required(sa.Integer, "number"),
        *required(MomentColumn, "began_at", "opened_at", "changed_at"),
        *required(sa.Text, "status"),
        *optional(MomentColumn, "acknowledged_at", "started_at", "resolved_at"),
        *optional(sa.Text, "resolution"),
        *required(sa.Integer, "reopened"),
        *required(sa.JSON, "moved_to"),
        *required(sa.Text, "severity", "title"),
        sa.PrimaryKeyConstraint("cause", "number", name="pk_incidents"),
    )
    op.create_index("ix_incidents_live", "incidents", ["cause"], unique=True, sqlite_where=LIVE, postgresql_where=LIVE)
    op.create_index("ix_incidents_opened_at", "incidents", ["opened_at"])
    op.create_table(
        "incident_events",
        *required(RowNumber, "id"),
        *_of_incident("incident_events"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "kind", "person", "note"),
        sa.PrimaryKeyConstraint("id", name="pk_incident_events"),
    )
    op.create_index("ix_incident_events_cause_number", "incident_events", ["cause", "number"])
    op.create_table(
        "incident_impacts",
        *_of_incident("incident_impacts"),
        *required(sa.Text, "product"),
        *required(MomentColumn, "since"),
        sa.PrimaryKeyConstraint("cause", "number", "product", name="pk_incident_impacts"),
    )
    op.create_index("ix_incident_impacts_product", "incident_impacts", ["product"])
    op.create_table(
        "incident_checks",
        *_of_incident("incident_checks"),
        *required(sa.Text, "check_name"),
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
        *required(sa.Text, "key", "kind", "channel", "product", "domain", "incident", "subject", "body"),
        *required(MomentColumn, "not_before", "created_at"),
        *required(sa.Integer, "attempts"),
        *optional(MomentColumn, "tried_since", "next_at"),
        *optional(sa.Text, "claimed_by"),
        *optional(MomentColumn, "claimed_at", "claimed_until"),
        *required(sa.Text, "last_error"),
        *optional(MomentColumn, "sent_at", "given_up_at", "withdrawn_at"),
        *required(sa.Text, "withdrawn_because"),
        sa.PrimaryKeyConstraint("key", name="pk_messages"),
    )
    op.create_index("ix_messages_due", "messages", ["not_before"], unique=False, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_messages_incident", "messages", ["incident"])
    op.create_index("ix_messages_created_at", "messages", ["created_at"])


def _reads() -> None:
    op.create_table(
        "reads",
        *required(RowNumber, "id"),
        *required(sa.Text, "product", "port", "reader"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "kind"),
        sa.PrimaryKeyConstraint("id", name="pk_reads"),
    )
    op.create_index("ix_reads_product_at", "reads", ["product", "at"])
