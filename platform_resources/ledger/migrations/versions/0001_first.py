"""The first tables: projections of the event log, and what people do about it."""

import sqlalchemy as sa
from alembic import op

from platform_resources.ledger.columns import MomentColumn, RowNumber, optional, required

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "checks",
        *required(sa.BigInteger, "id"),
        *required(sa.Text, "asset_key", "name", "product", "kind", "dimension", "title"),
        *optional(MomentColumn, "retired_at"),
        sa.PrimaryKeyConstraint("id", name="pk_checks"),
    )
    op.create_index("ix_checks_asset_key_name", "checks", ["asset_key", "name"])
    op.create_index("ix_checks_product", "checks", ["product"])
    op.create_table(
        "cursors",
        *required(sa.Text, "kind"),
        *required(sa.BigInteger, "log_id"),
        *required(MomentColumn, "synced_at"),
        sa.PrimaryKeyConstraint("kind", name="pk_cursors"),
    )
    op.create_table(
        "exclusions",
        *required(RowNumber, "id"),
        *required(sa.Text, "product", "check_name", "kind"),
        *required(MomentColumn, "starts_at", "ends_at"),
        *required(sa.Text, "reason", "person"),
        *required(MomentColumn, "created_at"),
        *optional(MomentColumn, "withdrawn_at"),
        *optional(sa.Text, "withdrawn_by"),
        sa.PrimaryKeyConstraint("id", name="pk_exclusions"),
    )
    op.create_index("ix_exclusions_product_starts_at", "exclusions", ["product", "starts_at"])
    op.create_table(
        "freshness_states",
        *required(sa.Text, "asset_key"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "state", "previous", "product", "run_id"),
        *required(sa.BigInteger, "log_id"),
        sa.PrimaryKeyConstraint("asset_key", "at", "state", name="pk_freshness_states"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_freshness_states_product_at", "freshness_states", ["product", "at"])
    op.create_table(
        "incidents",
        *required(RowNumber, "id"),
        *required(sa.Text, "product", "cause", "title", "severity", "status"),
        *optional(sa.Text, "resolution", "owner"),
        *required(MomentColumn, "bad_since", "opened_at"),
        *optional(MomentColumn, "acknowledged_at", "started_at", "resolved_at"),
        *optional(sa.BigInteger, "moved_to"),
        *required(sa.Integer, "reopened"),
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
        *required(sa.Text, "product", "port"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "run_id"),
        *required(sa.Boolean, "changed"),
        *required(sa.Text, "degraded", "source_version"),
        *optional(sa.BigInteger, "rows"),
        *required(sa.JSON, "columns"),
        *required(sa.BigInteger, "log_id"),
        sa.PrimaryKeyConstraint("product", "port", "at", "run_id", name="pk_input_states"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "marks",
        *required(sa.Text, "kind"),
        *required(sa.BigInteger, "log_id"),
        *required(sa.Text, "identity"),
        *required(MomentColumn, "settles_at"),
        sa.PrimaryKeyConstraint("kind", "log_id", name="pk_marks"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "publications",
        *required(sa.Text, "product", "port", "version"),
        *required(MomentColumn, "published_at"),
        *required(sa.Text, "product_version"),
        *optional(MomentColumn, "watermark"),
        *optional(sa.BigInteger, "rows", "bytes"),
        *required(sa.JSON, "columns"),
        *required(sa.Text, "run_id"),
        *required(sa.BigInteger, "log_id"),
        sa.PrimaryKeyConstraint("product", "port", "version", name="pk_publications"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_publications_product_port_published_at", "publications", ["product", "port", "published_at"])
    op.create_table(
        "readings",
        *required(sa.BigInteger, "check_id"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "run_id", "verdict"),
        *optional(sa.Double, "value"),
        *required(sa.Text, "shown", "threshold"),
        *optional(sa.BigInteger, "failing_rows"),
        *required(sa.Text, "reason"),
        *required(sa.BigInteger, "log_id"),
        sa.PrimaryKeyConstraint("check_id", "at", "run_id", name="pk_readings"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "runs",
        *required(sa.Text, "run_id", "product", "job", "status"),
        *optional(MomentColumn, "started_at", "ended_at"),
        *required(sa.Text, "failed_step", "reason"),
        *required(sa.BigInteger, "log_id"),
        sa.PrimaryKeyConstraint("run_id", name="pk_runs"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_runs_product_started_at", "runs", ["product", "started_at"])
    op.create_index("ix_runs_status_ended_at", "runs", ["status", "ended_at"])
    op.create_table(
        "scorecards",
        *required(sa.Text, "product"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "run_id", "outcome"),
        *required(sa.Integer, "objectives", "met", "missed", "unknown", "checks"),
        *required(sa.BigInteger, "log_id"),
        sa.PrimaryKeyConstraint("product", "at", "run_id", name="pk_scorecards"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subscriptions",
        *required(RowNumber, "id"),
        *required(sa.Text, "product", "subscriber", "channel", "severity"),
        *required(MomentColumn, "since"),
        *optional(MomentColumn, "until"),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
        sa.UniqueConstraint("product", "subscriber", "channel", name="uq_subscriptions_product_subscriber_channel"),
    )
    op.create_index("ix_subscriptions_subscriber", "subscriptions", ["subscriber"])
    op.create_table(
        "acknowledgements",
        *required(RowNumber, "id"),
        *required(sa.BigInteger, "incident_id"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "person", "note"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_acknowledgements_incident_id"),
        sa.PrimaryKeyConstraint("id", name="pk_acknowledgements"),
    )
    op.create_index("ix_acknowledgements_incident_id_at", "acknowledgements", ["incident_id", "at"])
    op.create_table(
        "incident_events",
        *required(RowNumber, "id"),
        *required(sa.BigInteger, "incident_id"),
        *required(MomentColumn, "at"),
        *required(sa.Text, "kind", "person", "text"),
        *required(sa.JSON, "detail"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_incident_events_incident_id"),
        sa.PrimaryKeyConstraint("id", name="pk_incident_events"),
    )
    op.create_index("ix_incident_events_incident_id_at", "incident_events", ["incident_id", "at"])
    op.create_table(
        "incident_impacts",
        *required(sa.BigInteger, "incident_id"),
        *required(sa.Text, "product"),
        *required(MomentColumn, "since"),
        *optional(MomentColumn, "until"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_incident_impacts_incident_id"),
        sa.PrimaryKeyConstraint("incident_id", "product", name="pk_incident_impacts"),
    )
    op.create_index("ix_incident_impacts_product_since", "incident_impacts", ["product", "since"])
    op.create_table(
        "notifications",
        *required(RowNumber, "id"),
        *required(sa.Text, "message_key", "kind", "channel", "product", "domain"),
        *optional(sa.BigInteger, "incident_id"),
        *required(sa.Text, "subject", "body"),
        *required(MomentColumn, "created_at", "not_before"),
        *optional(sa.Text, "claimed_by"),
        *optional(MomentColumn, "claimed_until"),
        *required(sa.Integer, "attempts"),
        *required(sa.Text, "last_error"),
        *optional(MomentColumn, "sent_at", "given_up_at"),
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
