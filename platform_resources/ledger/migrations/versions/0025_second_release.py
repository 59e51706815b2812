"""From the tables of the first release to those of release 0.2.0. What is dropped was never written; new tables are empty."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber, optional, required

revision = "0025"
down_revision = "0001"

DROPPED = ("acknowledgements", "incident_events", "incident_impacts", "notifications", "incidents")
LIVE = sa.text("status <> 'resolved'")
OPEN = sa.text("sent_at is null and given_up_at is null and withdrawn_at is null")
DEPLOYED = sa.text("ended_at is null")
CLOSED = ("not published, the gate is closed%", "%DagsterAssetCheckFailedError:%")
TIMES = (("publications", "published_at"), ("input_states", "at"), ("scorecards", "at"), ("runs", "started_at"), ("runs", "ended_at"))


def upgrade() -> None:
    for table in DROPPED:
        op.drop_table(table)
    _more_of_events()
    _product_changes()
    _incidents()
    _messages_and_reads()
    _monitors_and_scores()
    _people()


def _more_of_events() -> None:
    """Readings say what was promised, scorecards what was held back, runs what failed: of former ones as far as their words tell it."""
    op.add_column("publications", sa.Column("watermark_unknown", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("readings", sa.Column("unit", sa.Text, nullable=False, server_default=""))
    op.add_column("readings", sa.Column("at_least", sa.Double))
    op.add_column("readings", sa.Column("at_most", sa.Double))
    op.add_column("readings", sa.Column("learning", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("readings", sa.Column("severity", sa.Text, nullable=False, server_default="error"))
    # On PostgreSQL the key holds the verdicts, so that an indicator's window is read from the index alone.
    if op.get_bind().dialect.name == "postgresql":
        op.execute("alter table readings drop constraint pk_readings")
        op.execute("alter table readings add constraint pk_readings primary key (check_id, at, run_id) include (verdict)")
    op.add_column("runs", sa.Column("failures", sa.Text, nullable=False, server_default=""))
    op.add_column("scorecards", sa.Column("held_back", sa.Text, nullable=False, server_default=""))
    op.add_column("runs", sa.Column("closed_gate", sa.Boolean, nullable=False, server_default=sa.false()))
    cards = sa.table("scorecards", sa.column("outcome", sa.Text), sa.column("held_back", sa.Text))
    made = cards.c.outcome.like("not published%") & ~cards.c.outcome.like("not published, nothing changed%")
    op.execute(cards.update().where(made).values(held_back=sa.func.ltrim(sa.func.substr(cards.c.outcome, 14), ",: ")))
    runs = sa.table("runs", sa.column("reason", sa.Text), sa.column("closed_gate", sa.Boolean))
    op.execute(runs.update().where(sa.or_(*(runs.c.reason.like(words) for words in CLOSED))).values(closed_gate=sa.true()))
    op.create_table(
        "profiles",
        *required(sa.Text, "product", "data_set", "version", "column_name"),
        *required(sa.Integer, "position"),
        *required(MomentColumn, "published_at"),
        *required(sa.JSON, "profile"),
        *required(sa.Text, "run_id"),
        *required(sa.BigInteger, "log_id"),
        sa.PrimaryKeyConstraint("product", "data_set", "version", "column_name", name="pk_profiles"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "published_contracts",
        *required(sa.Text, "product", "version"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "contract"),
        sa.PrimaryKeyConstraint("product", "version", name="pk_published_contracts"),
    )


def _product_changes() -> None:
    """Of each product, when what is known of it was written last, and the latest moment that any of it is stamped with."""
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


def _incidents() -> None:
    op.create_table(
        "signals",
        *required(sa.Text, "product", "check_name", "recent"),
        *optional(MomentColumn, "last_at", "last_bad_at", "failing_since", "well_since"),
        *required(sa.Text, "reason"),
        *required(sa.Boolean, "accepted"),
        sa.Column("failures", sa.Text(), nullable=False, server_default=""),
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


def _of_incident(table: str) -> tuple[Any, ...]:
    key = sa.ForeignKeyConstraint(["cause", "number"], ["incidents.cause", "incidents.number"], name=f"fk_{table}_cause")
    return (*required(sa.Text, "cause"), *required(sa.Integer, "number"), key)


def _messages_and_reads() -> None:
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
        sa.Column("says", sa.JSON(), nullable=False, server_default="[]"),
        sa.PrimaryKeyConstraint("key", name="pk_messages"),
    )
    op.create_index("ix_messages_due", "messages", ["not_before"], unique=False, sqlite_where=OPEN, postgresql_where=OPEN)
    op.create_index("ix_messages_incident", "messages", ["incident"])
    op.create_index("ix_messages_created_at", "messages", ["created_at"])
    op.create_index("ix_messages_kind_product_created_at", "messages", ["kind", "product", "created_at"])
    op.create_table(
        "version_hooks",
        *required(RowNumber, "id"),
        *required(sa.Text, "product", "person", "url", "secret"),
        *required(MomentColumn, "since"),
        *optional(MomentColumn, "ended_at"),
        sa.PrimaryKeyConstraint("id", name="pk_version_hooks"),
    )
    op.create_index("ix_version_hooks_product", "version_hooks", ["product"])
    op.create_table(
        "reads",
        *required(RowNumber, "id"),
        *required(sa.Text, "product", "port", "reader"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "kind"),
        *optional(sa.JSON, "columns"),
        sa.PrimaryKeyConstraint("id", name="pk_reads"),
    )
    op.create_index("ix_reads_product_at", "reads", ["product", "at"])
    op.create_table(
        "refresh_credits",
        *required(sa.Text, "run_id", "product"),
        *required(sa.Float, "credits"),
        sa.PrimaryKeyConstraint("run_id", name="pk_refresh_credits"),
    )
    op.create_index("ix_refresh_credits_product", "refresh_credits", ["product"])
    op.create_table(
        "use_known",
        *required(sa.Text, "name"),
        *required(MomentColumn, "until"),
        sa.PrimaryKeyConstraint("name", name="pk_use_known"),
    )


def _monitors_and_scores() -> None:
    op.create_table(
        "monitors",
        *required(RowNumber, "id"),
        *required(sa.Text, "product", "domain", "name", "fingerprint"),
        *required(sa.JSON, "definition", "work"),
        *required(MomentColumn, "applied_at"),
        *required(sa.Text, "applied_by"),
        *optional(MomentColumn, "ended_at"),
        *optional(sa.Text, "ended_by"),
        sa.PrimaryKeyConstraint("id", name="pk_monitors"),
    )
    op.create_index("ix_monitors_deployed", "monitors", ["product", "name"], unique=True, sqlite_where=DEPLOYED, postgresql_where=DEPLOYED)
    op.create_table(
        "consumer_probes",
        *required(sa.Text, "product", "consumer"),
        *required(MomentColumn, "at"),
        *required(sa.Boolean, "answers"),
        *required(sa.Text, "said"),
        sa.PrimaryKeyConstraint("product", "consumer", name="pk_consumer_probes"),
    )
    op.create_table(
        "certifications",
        *required(sa.Text, "product"),
        *required(MomentColumn, "since"),
        sa.PrimaryKeyConstraint("product", name="pk_certifications"),
    )
    op.create_table(
        "scores",
        *required(sa.Text, "product"),
        *required(MomentColumn, "at"),
        *required(sa.Integer, "total"),
        *required(sa.Text, "badge"),
        *required(sa.JSON, "letters"),
        sa.PrimaryKeyConstraint("product", "at", name="pk_scores"),
    )
    op.create_table(
        "newest_scores",
        *required(sa.Text, "product"),
        *required(MomentColumn, "at"),
        *required(sa.Integer, "total"),
        *required(sa.Text, "badge"),
        *required(sa.JSON, "letters", "told", "tried"),
        sa.PrimaryKeyConstraint("product", name="pk_newest_scores"),
    )
    op.create_table(
        "control_deliveries",
        *required(sa.Text, "product", "port", "item", "content", "version"),
        *required(MomentColumn, "tried_at", "next_at"),
        *required(sa.Integer, "attempts"),
        *required(sa.Text, "last_error"),
        *optional(MomentColumn, "taken_at"),
        sa.PrimaryKeyConstraint("product", "port", "item", name="pk_control_deliveries"),
    )


def _people() -> None:
    op.create_table(
        "grants",
        *required(RowNumber, "id"),
        *required(sa.Text, "product", "role", "subject", "purpose"),
        *required(sa.JSON, "attributes"),
        *required(sa.Text, "requested_by"),
        *required(MomentColumn, "requested_at"),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
    )
    op.create_index("ix_grants_product", "grants", ["product"])
    op.create_index("ix_grants_subject", "grants", ["subject"])
    op.create_table(
        "grant_events",
        *required(RowNumber, "id"),
        *required(sa.BigInteger, "grant_id"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "act", "person", "why"),
        *optional(MomentColumn, "until"),
        sa.PrimaryKeyConstraint("id", name="pk_grant_events"),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.id"], name="fk_grant_events_grant_id_grants"),
    )
    op.create_index("ix_grant_events_grant_id", "grant_events", ["grant_id"])
    op.create_table(
        "reviews",
        *required(sa.Text, "product", "person"),
        *required(sa.Integer, "stars"),
        *required(sa.Text, "said"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "answer", "answered_by"),
        *optional(MomentColumn, "answered_at"),
        *required(sa.Text, "hidden_by", "hidden_because"),
        *optional(MomentColumn, "hidden_at"),
        sa.PrimaryKeyConstraint("product", "person", name="pk_reviews"),
    )
    op.create_table(
        "lab_queries",
        *required(RowNumber, "id"),
        *required(sa.Text, "person"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "product", "query"),
        *required(sa.Float, "seconds"),
        *required(sa.Text, "title"),
        sa.PrimaryKeyConstraint("id", name="pk_lab_queries"),
    )
    op.create_index("ix_lab_queries_title", "lab_queries", ["title"])
    op.create_table(
        "access_tokens",
        *required(RowNumber, "id"),
        *required(sa.Text, "digest", "person"),
        *required(sa.JSON, "groups"),
        *required(sa.Text, "title"),
        *required(sa.JSON, "scopes"),
        *required(MomentColumn, "made_at", "expires_at"),
        *optional(MomentColumn, "revoked_at", "last_used_at"),
        sa.PrimaryKeyConstraint("id", name="pk_access_tokens"),
        sa.UniqueConstraint("digest", name="uq_access_tokens_digest"),
    )
    op.create_table(
        "ended_sessions",
        *required(sa.Text, "digest"),
        *required(MomentColumn, "ended_at"),
        sa.PrimaryKeyConstraint("digest", name="pk_ended_sessions"),
    )
    op.create_table(
        "port_switches",
        *required(sa.Text, "product", "port", "consumer", "person"),
        *required(MomentColumn, "at"),
        sa.PrimaryKeyConstraint("product", "port", "consumer", name="pk_port_switches"),
    )
    op.create_table(
        "certificates",
        *required(RowNumber, "id"),
        *required(sa.Text, "product", "person", "why"),
        *required(MomentColumn, "since", "until"),
        *required(sa.JSON, "criteria"),
        *optional(MomentColumn, "ended_at"),
        *required(sa.Text, "ended_because"),
        sa.PrimaryKeyConstraint("id", name="pk_certificates"),
    )
    op.create_index("ix_certificates_product", "certificates", ["product"])
