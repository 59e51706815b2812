"""The tables of what people and the platform do about events: incidents, messages, subscriptions, exclusions. No rebuild touches them."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from platform_resources.ledger.columns import TABLES, Moment, RowNumber


def _number() -> Column[Any]:
    return Column("id", RowNumber, primary_key=True, nullable=False)


def _told(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _of_incident(**more: Any) -> Column[Any]:
    return Column("incident_id", BigInteger, ForeignKey("incidents.id"), nullable=False, **more)


# `product` and `cause` name the root, an asset or a check. One cause has at most one unresolved incident: the database sees to it.
incidents = Table(
    "incidents",
    TABLES,
    _number(),
    _told("product", Text),
    _told("cause", Text),
    _told("title", Text),
    _told("severity", Text),
    _told("status", Text),
    Column("resolution", Text),
    Column("owner", Text),
    _told("bad_since", Moment),
    _told("opened_at", Moment),
    Column("acknowledged_at", Moment),
    Column("started_at", Moment),
    Column("resolved_at", Moment),
    Column("moved_to", BigInteger, ForeignKey("incidents.id")),
    _told("reopened", Integer),
    Index(
        "ix_incidents_open_cause",
        "product",
        "cause",
        unique=True,
        sqlite_where=text("status <> 'resolved'"),
        postgresql_where=text("status <> 'resolved'"),
    ),
    Index(None, "product", "opened_at"),
    Index(None, "status", "opened_at"),
)

incident_events = Table(
    "incident_events",
    TABLES,
    _number(),
    _of_incident(),
    _told("at", Moment),
    _told("kind", Text),
    _told("person", Text),
    _told("text", Text),
    _told("detail", JSON),
    Index(None, "incident_id", "at"),
)

incident_impacts = Table(
    "incident_impacts",
    TABLES,
    _of_incident(primary_key=True),
    Column("product", Text, primary_key=True, nullable=False),
    _told("since", Moment),
    Column("until", Moment),
    Index(None, "product", "since"),
)

acknowledgements = Table(
    "acknowledgements",
    TABLES,
    _number(),
    _of_incident(),
    _told("at", Moment),
    _told("person", Text),
    _told("note", Text),
    Index(None, "incident_id", "at"),
)

# The outbox: `message_key` says what the message is about and to which channel, so that it is written once however often it is decided.
# A sender claims a message for a while; who dies over it loses the claim.
notifications = Table(
    "notifications",
    TABLES,
    _number(),
    Column("message_key", Text, nullable=False, unique=True),
    _told("kind", Text),
    _told("channel", Text),
    _told("product", Text),
    _told("domain", Text),
    Column("incident_id", BigInteger, ForeignKey("incidents.id")),
    _told("subject", Text),
    _told("body", Text),
    _told("created_at", Moment),
    _told("not_before", Moment),
    Column("claimed_by", Text),
    Column("claimed_until", Moment),
    _told("attempts", Integer),
    _told("last_error", Text),
    Column("sent_at", Moment),
    Column("given_up_at", Moment),
    Index(
        "ix_notifications_due",
        "not_before",
        sqlite_where=text("sent_at is null and given_up_at is null"),
        postgresql_where=text("sent_at is null and given_up_at is null"),
    ),
    Index(None, "product", "created_at"),
    Index(None, "incident_id"),
)

subscriptions = Table(
    "subscriptions",
    TABLES,
    _number(),
    _told("product", Text),
    _told("subscriber", Text),
    _told("channel", Text),
    _told("severity", Text),
    _told("since", Moment),
    Column("until", Moment),
    UniqueConstraint("product", "subscriber", "channel"),
    Index(None, "subscriber"),
)

# Time that counts neither as good nor as bad: dated, owned; withdrawn, never deleted. An empty `check_name` means every objective.
exclusions = Table(
    "exclusions",
    TABLES,
    _number(),
    _told("product", Text),
    _told("check_name", Text),
    _told("kind", Text),
    _told("starts_at", Moment),
    _told("ends_at", Moment),
    _told("reason", Text),
    _told("person", Text),
    _told("created_at", Moment),
    Column("withdrawn_at", Moment),
    Column("withdrawn_by", Text),
    Index(None, "product", "starts_at"),
)
