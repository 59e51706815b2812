"""Tables of what people and the platform do about events: incidents, messages, subscriptions, reads. A rebuild keeps them."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from platform_resources.ledger.columns import TABLES, MomentColumn, Prose, RowNumber


def _number() -> Column[Any]:
    return Column("id", RowNumber, primary_key=True, nullable=False)


def _told(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _of_incident() -> tuple[Any, ...]:
    """The columns that name an incident, `orders#3`, in the tables of what belongs to it."""
    return (
        _told("cause", Text),
        _told("number", Integer),
        ForeignKeyConstraint(["cause", "number"], ["incidents.cause", "incidents.number"]),
    )


# What the board remembers of each check's readings; `recent` has a + for each good one and a - for each bad one, the newest last.
signals = Table(
    "signals",
    TABLES,
    _told("product", Text),
    _told("check_name", Text),
    _told("recent", Text),
    Column("last_at", MomentColumn),
    Column("last_bad_at", MomentColumn),
    Column("failing_since", MomentColumn),
    Column("well_since", MomentColumn),
    _told("reason", Prose),
    _told("accepted", Boolean),
    Column("failures", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("product", "check_name"),
)

# `cause` is the product at the root, `number` counts its incidents. One cause has at most one live incident: the database sees to it.
incidents = Table(
    "incidents",
    TABLES,
    _told("cause", Text),
    _told("number", Integer),
    _told("began_at", MomentColumn),
    _told("opened_at", MomentColumn),
    _told("changed_at", MomentColumn),
    _told("status", Text),
    Column("acknowledged_at", MomentColumn),
    Column("started_at", MomentColumn),
    Column("resolved_at", MomentColumn),
    Column("resolution", Text),
    _told("reopened", Integer),
    _told("moved_to", JSON),
    _told("severity", Text),
    _told("title", Prose),
    PrimaryKeyConstraint("cause", "number"),
    Index(
        "ix_incidents_live",
        "cause",
        unique=True,
        sqlite_where=text("status <> 'resolved'"),
        postgresql_where=text("status <> 'resolved'"),
    ),
    Index(None, "opened_at"),
)

# Everything that happened to an incident, acknowledgements too; appended, never changed.
incident_events = Table(
    "incident_events",
    TABLES,
    _number(),
    *_of_incident(),
    _told("at", MomentColumn),
    _told("kind", Text),
    _told("person", Prose),
    _told("note", Prose),
    Index(None, "cause", "number"),
)

incident_impacts = Table(
    "incident_impacts",
    TABLES,
    *_of_incident(),
    _told("product", Text),
    _told("since", MomentColumn),
    PrimaryKeyConstraint("cause", "number", "product"),
    Index(None, "product"),
)

incident_checks = Table(
    "incident_checks",
    TABLES,
    *_of_incident(),
    _told("check_name", Text),
    PrimaryKeyConstraint("cause", "number", "check_name"),
)

_OPEN = "sent_at is null and given_up_at is null and withdrawn_at is null"

# The outbox: `key` says what the message is about and to which channel, so that it is written once however often it is decided.
# A sender claims a message for a while; who dies over it loses the claim. `attempts` counts claims, so it tells one from the next.
messages = Table(
    "messages",
    TABLES,
    Column("key", Text, primary_key=True, nullable=False),
    _told("kind", Text),
    _told("channel", Text),
    _told("product", Text),
    _told("domain", Text),
    _told("incident", Text),
    _told("subject", Prose),
    _told("body", Prose),
    _told("not_before", MomentColumn),
    _told("created_at", MomentColumn),
    _told("attempts", Integer),
    Column("tried_since", MomentColumn),
    Column("next_at", MomentColumn),
    Column("claimed_by", Text),
    Column("claimed_at", MomentColumn),
    Column("claimed_until", MomentColumn),
    _told("last_error", Prose),
    Column("sent_at", MomentColumn),
    Column("given_up_at", MomentColumn),
    Column("withdrawn_at", MomentColumn),
    _told("withdrawn_because", Prose),
    Column("says", JSON, nullable=False, server_default="[]"),
    Index("ix_messages_due", "not_before", sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)),
    Index(None, "incident"),
    Index(None, "created_at"),
    Index(None, "kind", "product", "created_at"),
)

subscriptions = Table(
    "subscriptions",
    TABLES,
    _number(),
    _told("product", Text),
    _told("subscriber", Text),
    _told("channel", Text),
    _told("severity", Text),
    _told("since", MomentColumn),
    Column("until", MomentColumn),
    UniqueConstraint("product", "subscriber", "channel"),
    Index(None, "subscriber"),
)

# Who read what: `port` is an output port, or a data set where it was not read through a port.
reads = Table(
    "reads",
    TABLES,
    _number(),
    _told("product", Text),
    _told("port", Text),
    _told("reader", Prose),
    _told("at", MomentColumn),
    _told("kind", Text),
    Index(None, "product", "at"),
)

# Time that counts neither as good nor as bad: dated, owned; withdrawn, never deleted. An empty `check_name` means every objective.
exclusions = Table(
    "exclusions",
    TABLES,
    _number(),
    _told("product", Text),
    _told("check_name", Text),
    _told("kind", Text),
    _told("starts_at", MomentColumn),
    _told("ends_at", MomentColumn),
    _told("reason", Text),
    _told("person", Text),
    _told("created_at", MomentColumn),
    Column("withdrawn_at", MomentColumn),
    Column("withdrawn_by", Text),
    Index(None, "product", "starts_at"),
)

# Monitors as they were applied. One that changes ends and begins anew, so that what was meant when, and by whom, stays known.
# Of one name at most one is deployed: the database sees to it.
monitors = Table(
    "monitors",
    TABLES,
    _number(),
    _told("product", Text),
    _told("domain", Text),
    _told("name", Text),
    _told("fingerprint", Text),
    _told("definition", JSON),
    _told("work", JSON),
    _told("applied_at", MomentColumn),
    _told("applied_by", Prose),
    Column("ended_at", MomentColumn),
    Column("ended_by", Prose),
    Index(
        "ix_monitors_deployed",
        "product",
        "name",
        unique=True,
        sqlite_where=text("ended_at is null"),
        postgresql_where=text("ended_at is null"),
    ),
)

# What each known consumer outside of the mesh answered last.
consumer_probes = Table(
    "consumer_probes",
    TABLES,
    _told("product", Text),
    _told("consumer", Text),
    _told("at", MomentColumn),
    _told("answers", Boolean),
    _told("said", Prose),
    PrimaryKeyConstraint("product", "consumer"),
)

# Since when each product is known to be certified; one that is no longer so has none.
certifications = Table("certifications", TABLES, _told("product", Text), _told("since", MomentColumn), PrimaryKeyConstraint("product"))

# Under which contract a version was published, as JSON; a version whose contract is that of the one before has none.
published_contracts = Table(
    "published_contracts",
    TABLES,
    _told("product", Text),
    _told("version", Text),
    _told("at", MomentColumn),
    _told("contract", Text),
    PrimaryKeyConstraint("product", "version"),
)

# Who asked for which role of which product; what was decided follows as events. Nothing of either is ever changed.
grants = Table(
    "grants",
    TABLES,
    _number(),
    _told("product", Text),
    _told("role", Text),
    _told("subject", Text),
    _told("purpose", Prose),
    _told("attributes", JSON),
    _told("requested_by", Prose),
    _told("requested_at", MomentColumn),
    Index(None, "product"),
    Index(None, "subject"),
)

grant_events = Table(
    "grant_events",
    TABLES,
    _number(),
    _told("grant_id", BigInteger),
    _told("at", MomentColumn),
    _told("act", Text),
    _told("person", Prose),
    _told("why", Prose),
    Column("until", MomentColumn),
    ForeignKeyConstraint(["grant_id"], ["grants.id"]),
    Index(None, "grant_id"),
)

# What people say of products, one of each person. A hidden one stays, with who has hidden it and why.
reviews = Table(
    "reviews",
    TABLES,
    _told("product", Text),
    _told("person", Prose),
    _told("stars", Integer),
    _told("said", Prose),
    _told("at", MomentColumn),
    _told("answer", Prose),
    _told("answered_by", Prose),
    Column("answered_at", MomentColumn),
    _told("hidden_by", Prose),
    _told("hidden_because", Prose),
    Column("hidden_at", MomentColumn),
    PrimaryKeyConstraint("product", "person"),
)

# What was asked in the data lab, never what came of it. One with a title was saved for others; the others only tell of use.
lab_queries = Table(
    "lab_queries",
    TABLES,
    _number(),
    _told("person", Prose),
    _told("at", MomentColumn),
    _told("product", Text),
    _told("query", Prose),
    _told("seconds", Float),
    _told("title", Prose),
    Index(None, "title"),
)

# Tokens of people for machines, by the digest of what was shown once. `scopes` say what each is for.
access_tokens = Table(
    "access_tokens",
    TABLES,
    _number(),
    _told("digest", Text),
    _told("person", Prose),
    _told("groups", JSON),
    _told("title", Prose),
    _told("scopes", JSON),
    _told("made_at", MomentColumn),
    _told("expires_at", MomentColumn),
    Column("revoked_at", MomentColumn),
    Column("last_used_at", MomentColumn),
    UniqueConstraint("digest"),
)

# Sessions of the marketplace that were signed out of, for as long as a copy of their cookie could be used.
ended_sessions = Table("ended_sessions", TABLES, _told("digest", Text), _told("ended_at", MomentColumn), PrimaryKeyConstraint("digest"))

# The letters of each product over time: a row when they change, and at least one a day.
scores = Table(
    "scores",
    TABLES,
    _told("product", Text),
    _told("at", MomentColumn),
    _told("total", Integer),
    _told("badge", Text),
    _told("letters", JSON),
    PrimaryKeyConstraint("product", "at"),
)

# The newest score of each product with all that it tells, and what was tried for it, so that it need not be tried again.
newest_scores = Table(
    "newest_scores",
    TABLES,
    _told("product", Text),
    _told("at", MomentColumn),
    _told("total", Integer),
    _told("badge", Text),
    _told("letters", JSON),
    _told("told", JSON),
    _told("tried", JSON),
    PrimaryKeyConstraint("product"),
)

# What each control port gets: its one document, or its events by item. `content` is a hash, so that nothing is sent twice.
control_deliveries = Table(
    "control_deliveries",
    TABLES,
    _told("product", Text),
    _told("port", Text),
    _told("item", Text),
    _told("content", Text),
    _told("version", Text),
    _told("tried_at", MomentColumn),
    _told("next_at", MomentColumn),
    _told("attempts", Integer),
    _told("last_error", Prose),
    Column("taken_at", MomentColumn),
    PrimaryKeyConstraint("product", "port", "item"),
)

# Machines that are told of each new version of a product, and the secret that these calls are signed with.
version_hooks = Table(
    "version_hooks",
    TABLES,
    _number(),
    _told("product", Text),
    _told("person", Prose),
    _told("url", Prose),
    _told("secret", Text),
    _told("since", MomentColumn),
    Column("ended_at", MomentColumn),
    Index(None, "product"),
)
