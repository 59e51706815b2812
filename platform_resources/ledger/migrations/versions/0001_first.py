"""The first tables: projections of the event log, and what people do about it."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "checks",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("asset_key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("retired_at", MomentColumn()),
        sa.PrimaryKeyConstraint("id", name="pk_checks"),
    )
    op.create_index("ix_checks_asset_key_name", "checks", ["asset_key", "name"])
    op.create_index("ix_checks_product", "checks", ["product"])
    op.create_table(
        "cursors",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("log_id", sa.BigInteger(), nullable=False),
        sa.Column("synced_at", MomentColumn(), nullable=False),
        sa.PrimaryKeyConstraint("kind", name="pk_cursors"),
    )
    op.create_table(
        "exclusions",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("check_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("starts_at", MomentColumn(), nullable=False),
        sa.Column("ends_at", MomentColumn(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("created_at", MomentColumn(), nullable=False),
        sa.Column("withdrawn_at", MomentColumn()),
        sa.Column("withdrawn_by", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_exclusions"),
    )
    op.create_index("ix_exclusions_product_starts_at", "exclusions", ["product", "starts_at"])
    op.create_table(
        "freshness_states",
        sa.Column("asset_key", sa.Text(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("log_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("asset_key", "at", "state", name="pk_freshness_states"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_freshness_states_product_at", "freshness_states", ["product", "at"])
    op.create_table(
        "incidents",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("resolution", sa.Text()),
        sa.Column("owner", sa.Text()),
        sa.Column("bad_since", MomentColumn(), nullable=False),
        sa.Column("opened_at", MomentColumn(), nullable=False),
        sa.Column("acknowledged_at", MomentColumn()),
        sa.Column("started_at", MomentColumn()),
        sa.Column("resolved_at", MomentColumn()),
        sa.Column("moved_to", sa.BigInteger()),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["moved_to"], ["incidents.id"], name="fk_incidents_moved_to"),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    op.create_index(
        "ix_incidents_open_cause",
        "incidents",
        ["product", "cause"],
        unique=True,
        sqlite_where=sa.text("status <> 'resolved'"),
        postgresql_where=sa.text("status <> 'resolved'"),
    )
    op.create_index("ix_incidents_product_opened_at", "incidents", ["product", "opened_at"])
    op.create_index("ix_incidents_status_opened_at", "incidents", ["status", "opened_at"])
    op.create_table(
        "input_states",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("changed", sa.Boolean(), nullable=False),
        sa.Column("degraded", sa.Text(), nullable=False),
        sa.Column("source_version", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger()),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("log_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("product", "port", "at", "run_id", name="pk_input_states"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "marks",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("log_id", sa.BigInteger(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("settles_at", MomentColumn(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "log_id", name="pk_marks"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "publications",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("published_at", MomentColumn(), nullable=False),
        sa.Column("product_version", sa.Text(), nullable=False),
        sa.Column("watermark", MomentColumn()),
        sa.Column("rows", sa.BigInteger()),
        sa.Column("bytes", sa.BigInteger()),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("log_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("product", "port", "version", name="pk_publications"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_publications_product_port_published_at", "publications", ["product", "port", "published_at"])
    op.create_table(
        "readings",
        sa.Column("check_id", sa.BigInteger(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("value", sa.Double()),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("threshold", sa.Text(), nullable=False),
        sa.Column("failing_rows", sa.BigInteger()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("log_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("check_id", "at", "run_id", name="pk_readings"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", MomentColumn()),
        sa.Column("ended_at", MomentColumn()),
        sa.Column("failed_step", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("log_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_runs"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_runs_product_started_at", "runs", ["product", "started_at"])
    op.create_index("ix_runs_status_ended_at", "runs", ["status", "ended_at"])
    op.create_table(
        "scorecards",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("objectives", sa.Integer(), nullable=False),
        sa.Column("met", sa.Integer(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("log_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("product", "at", "run_id", name="pk_scorecards"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("subscriber", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("since", MomentColumn(), nullable=False),
        sa.Column("until", MomentColumn()),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sa.UniqueConstraint("product", "subscriber", "channel", name="uq_subscriptions_product_subscriber_channel"),
    )
    op.create_index("ix_subscriptions_subscriber", "subscriptions", ["subscriber"])
    op.create_table(
        "acknowledgements",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_acknowledgements_incident_id"),
        sa.PrimaryKeyConstraint("id", name="pk_acknowledgements"),
    )
    op.create_index("ix_acknowledgements_incident_id_at", "acknowledgements", ["incident_id", "at"])
    op.create_table(
        "incident_events",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("at", MomentColumn(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_incident_events_incident_id"),
        sa.PrimaryKeyConstraint("id", name="pk_incident_events"),
    )
    op.create_index("ix_incident_events_incident_id_at", "incident_events", ["incident_id", "at"])
    op.create_table(
        "incident_impacts",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("since", MomentColumn(), nullable=False),
        sa.Column("until", MomentColumn()),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_incident_impacts_incident_id"),
        sa.PrimaryKeyConstraint("incident_id", "product", name="pk_incident_impacts"),
    )
    op.create_index("ix_incident_impacts_product_since", "incident_impacts", ["product", "since"])
    op.create_table(
        "notifications",
        sa.Column("id", RowNumber, nullable=False),
        sa.Column("message_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.BigInteger()),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", MomentColumn(), nullable=False),
        sa.Column("not_before", MomentColumn(), nullable=False),
        sa.Column("claimed_by", sa.Text()),
        sa.Column("claimed_until", MomentColumn()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("sent_at", MomentColumn()),
        sa.Column("given_up_at", MomentColumn()),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_notifications_incident_id"),
        sa.PrimaryKeyConstraint("id", name="pk_notifications"),
        sa.UniqueConstraint("message_key", name="uq_notifications_message_key"),
    )
    op.create_index(
        "ix_notifications_due",
        "notifications",
        ["not_before"],
        unique=False,
        sqlite_where=sa.text("sent_at is null and given_up_at is null"),
        postgresql_where=sa.text("sent_at is null and given_up_at is null"),
    )
    op.create_index("ix_notifications_incident_id", "notifications", ["incident_id"])
    op.create_index("ix_notifications_product_created_at", "notifications", ["product", "created_at"])
