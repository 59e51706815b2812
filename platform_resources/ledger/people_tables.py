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


def _must(name: str, kind: Any) -> Column[Any]:
    return Column(name, kind, nullable=False)


def _of_incident() -> tuple[Any, ...]:
    """The columns that name an incident, `orders#3`, in the tables of what belongs to it."""
    return (
        _must("cause", Text),
        _must("number", Integer),
        ForeignKeyConstraint(["cause", "number"], ["incidents.cause", "incidents.number"]),
    )


# What the board remembers of each check's readings; `recent` has a + for each good one and a - for each bad one, the newest last.
signals = Table(
    "signals",
    TABLES,
    _must("product", Text),
    _must("check_name", Text),
    _must("recent", Text),
    Column("last_at", MomentColumn),
    Column("last_bad_at", MomentColumn),
    Column("failing_since", MomentColumn),
    Column("well_since", MomentColumn),
    _must("reason", Prose),
    _must("accepted", Boolean),
    Column("failures", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("product", "check_name"),
)

# `cause` is the product at the root, `number` counts its incidents. One cause has at most one live incident: the database sees to it.
incidents = Table(
    "incidents",
    TABLES,
    _must("cause", Text),
    _must("number", Integer),
    _must("began_at", MomentColumn),
    _must("opened_at", MomentColumn),
    _must("changed_at", MomentColumn),
    _must("status", Text),
    Column("acknowledged_at", MomentColumn),
    Column("started_at", MomentColumn),
    Column("resolved_at", MomentColumn),
    Column("resolution", Text),
    _must("reopened", Integer),
    _must("moved_to", JSON),
    _must("severity", Text),
    _must("title", Prose),
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
    _must("at", MomentColumn),
    _must("kind", Text),
    _must("person", Prose),
    _must("note", Prose),
    Index(None, "cause", "number"),
)

incident_impacts = Table(
    "incident_impacts",
    TABLES,
    *_of_incident(),
    _must("product", Text),
    _must("since", MomentColumn),
    PrimaryKeyConstraint("cause", "number", "product"),
    Index(None, "product"),
)

incident_checks = Table(
    "incident_checks",
    TABLES,
    *_of_incident(),
    _must("check_name", Text),
    PrimaryKeyConstraint("cause", "number", "check_name"),
)

_OPEN = "sent_at is null and given_up_at is null and withdrawn_at is null"

# The outbox: `key` says what the message is about and to which channel, so that it is written once however often it is decided.
# A sender claims a message for a while; who dies over it loses the claim. `attempts` counts claims, so it tells one from the next.
messages = Table(
    "messages",
    TABLES,
    Column("key", Text, primary_key=True, nullable=False),
    _must("kind", Text),
    _must("channel", Text),
    _must("product", Text),
    _must("domain", Text),
    _must("incident", Text),
    _must("subject", Prose),
    _must("body", Prose),
    _must("not_before", MomentColumn),
    _must("created_at", MomentColumn),
    _must("attempts", Integer),
    Column("tried_since", MomentColumn),
    Column("next_at", MomentColumn),
    Column("claimed_by", Text),
    Column("claimed_at", MomentColumn),
    Column("claimed_until", MomentColumn),
    _must("last_error", Prose),
    Column("sent_at", MomentColumn),
    Column("given_up_at", MomentColumn),
    Column("withdrawn_at", MomentColumn),
    _must("withdrawn_because", Prose),
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
    _must("product", Text),
    _must("subscriber", Text),
    _must("channel", Text),
    _must("severity", Text),
    _must("since", MomentColumn),
    Column("until", MomentColumn),
    UniqueConstraint("product", "subscriber", "channel"),
    Index(None, "subscriber"),
)

# Who read what: `port` is an output port, or a data set where it was not read through a port. `columns` are told by warehouses alone.
reads = Table(
    "reads",
    TABLES,
    _number(),
    _must("product", Text),
    _must("port", Text),
    _must("reader", Prose),
    _must("at", MomentColumn),
    _must("kind", Text),
    Column("columns", JSON),
    Index(None, "product", "at"),
)

# What a refresh took of a warehouse's compute, and until when a warehouse has told of use.
refresh_credits = Table(
    "refresh_credits",
    TABLES,
    Column("run_id", Text, primary_key=True),
    _must("product", Text),
    _must("credits", Float),
    Index(None, "product"),
)
use_known = Table("use_known", TABLES, Column("name", Text, primary_key=True), _must("until", MomentColumn))

# Time that counts neither as good nor as bad: dated, owned; withdrawn, never deleted. An empty `check_name` means every objective.
exclusions = Table(
    "exclusions",
    TABLES,
    _number(),
    _must("product", Text),
    _must("check_name", Text),
    _must("kind", Text),
    _must("starts_at", MomentColumn),
    _must("ends_at", MomentColumn),
    _must("reason", Text),
    _must("person", Text),
    _must("created_at", MomentColumn),
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
    _must("product", Text),
    _must("domain", Text),
    _must("name", Text),
    _must("fingerprint", Text),
    _must("definition", JSON),
    _must("work", JSON),
    _must("applied_at", MomentColumn),
    _must("applied_by", Prose),
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
    _must("product", Text),
    _must("consumer", Text),
    _must("at", MomentColumn),
    _must("answers", Boolean),
    _must("said", Prose),
    PrimaryKeyConstraint("product", "consumer"),
)

# Since when each product is known to be certified; one that is no longer so has none.
certifications = Table("certifications", TABLES, _must("product", Text), _must("since", MomentColumn), PrimaryKeyConstraint("product"))

# Who has vouched for a product, until when and on which criteria; one that is lost says why. The newest of a product counts. One with a
# stage signs the product off for that stage of its life: the newest of each person counts.
certificates = Table(
    "certificates",
    TABLES,
    _number(),
    _must("product", Text),
    _must("person", Prose),
    _must("why", Prose),
    _must("since", MomentColumn),
    _must("until", MomentColumn),
    _must("criteria", JSON),
    Column("ended_at", MomentColumn),
    _must("ended_because", Prose),
    Column("stage", Text, nullable=False, server_default=""),
    Index(None, "product"),
)

# What consumers expect of a product beyond what it promises: the objective, what for, and how it came out when it was tried. Its owner
# accepts it by having it in product.yaml, or declines it with a reason.
expectations = Table(
    "expectations",
    TABLES,
    _number(),
    _must("product", Text),
    _must("title", Prose),
    _must("component", JSON),
    _must("purpose", Prose),
    _must("person", Prose),
    _must("tried", Prose),
    _must("since", MomentColumn),
    _must("outcome", Text),
    _must("why", Prose),
    _must("decided_by", Prose),
    Column("decided_at", MomentColumn),
    Index(None, "product"),
)

# Under which contract a version was published, as JSON; a version whose contract is that of the one before has none.
published_contracts = Table(
    "published_contracts",
    TABLES,
    _must("product", Text),
    _must("version", Text),
    _must("at", MomentColumn),
    _must("contract", Text),
    PrimaryKeyConstraint("product", "version"),
)

# Consumers that have moved from a port that ends to the one that takes its place, and who has said so.
port_switches = Table(
    "port_switches",
    TABLES,
    _must("product", Text),
    _must("port", Text),
    _must("consumer", Text),
    _must("person", Prose),
    _must("at", MomentColumn),
    PrimaryKeyConstraint("product", "port", "consumer"),
)

# Who asked for which role of which product; what was decided follows as events. Nothing of either is ever changed.
grants = Table(
    "grants",
    TABLES,
    _number(),
    _must("product", Text),
    _must("role", Text),
    _must("subject", Text),
    _must("purpose", Prose),
    _must("attributes", JSON),
    _must("requested_by", Prose),
    _must("requested_at", MomentColumn),
    Index(None, "product"),
    Index(None, "subject"),
)

grant_events = Table(
    "grant_events",
    TABLES,
    _number(),
    _must("grant_id", BigInteger),
    _must("at", MomentColumn),
    _must("act", Text),
    _must("person", Prose),
    _must("why", Prose),
    Column("until", MomentColumn),
    ForeignKeyConstraint(["grant_id"], ["grants.id"]),
    Index(None, "grant_id"),
)

# What people say of products, one of each person. A hidden one stays, with who has hidden it and why.
reviews = Table(
    "reviews",
    TABLES,
    _must("product", Text),
    _must("person", Prose),
    _must("stars", Integer),
    _must("said", Prose),
    _must("at", MomentColumn),
    _must("answer", Prose),
    _must("answered_by", Prose),
    Column("answered_at", MomentColumn),
    _must("hidden_by", Prose),
    _must("hidden_because", Prose),
    Column("hidden_at", MomentColumn),
    PrimaryKeyConstraint("product", "person"),
)

# What was asked in the data lab, never what came of it. One with a title was saved for others; the others only tell of use.
lab_queries = Table(
    "lab_queries",
    TABLES,
    _number(),
    _must("person", Prose),
    _must("at", MomentColumn),
    _must("product", Text),
    _must("query", Prose),
    _must("seconds", Float),
    _must("title", Prose),
    Index(None, "title"),
)

# Tokens of people for machines, by the digest of what was shown once. `scopes` say what each is for.
access_tokens = Table(
    "access_tokens",
    TABLES,
    _number(),
    _must("digest", Text),
    _must("person", Prose),
    _must("groups", JSON),
    _must("title", Prose),
    _must("scopes", JSON),
    _must("made_at", MomentColumn),
    _must("expires_at", MomentColumn),
    Column("revoked_at", MomentColumn),
    Column("last_used_at", MomentColumn),
    UniqueConstraint("digest"),
)

# Sessions of the marketplace that were signed out of, for as long as a copy of their cookie could be used.
ended_sessions = Table("ended_sessions", TABLES, _must("digest", Text), _must("ended_at", MomentColumn), PrimaryKeyConstraint("digest"))

# The letters of each product over time: a row when they change, and at least one a day.
scores = Table(
    "scores",
    TABLES,
    _must("product", Text),
    _must("at", MomentColumn),
    _must("total", Integer),
    _must("badge", Text),
    _must("letters", JSON),
    PrimaryKeyConstraint("product", "at"),
)

# The newest score of each product with all that it tells, and what was tried for it, so that it need not be tried again.
newest_scores = Table(
    "newest_scores",
    TABLES,
    _must("product", Text),
    _must("at", MomentColumn),
    _must("total", Integer),
    _must("badge", Text),
    _must("letters", JSON),
    _must("told", JSON),
    _must("tried", JSON),
    PrimaryKeyConstraint("product"),
)

# What each control port gets: its one document, or its events by item. `content` is a hash, so that nothing is sent twice.
control_deliveries = Table(
    "control_deliveries",
    TABLES,
    _must("product", Text),
    _must("port", Text),
    _must("item", Text),
    _must("content", Text),
    _must("version", Text),
    _must("tried_at", MomentColumn),
    _must("next_at", MomentColumn),
    _must("attempts", Integer),
    _must("last_error", Prose),
    Column("taken_at", MomentColumn),
    PrimaryKeyConstraint("product", "port", "item"),
)

# Machines that are told of each new version of a product, and from what, with a key, the secret follows that these calls are signed with.
version_hooks = Table(
    "version_hooks",
    TABLES,
    _number(),
    _must("product", Text),
    _must("person", Prose),
    _must("url", Prose),
    _must("secret", Text),
    _must("since", MomentColumn),
    Column("ended_at", MomentColumn),
    Index(None, "product"),
)
