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

from platform_resources.ledger.columns import TABLES, MomentColumn, Prose, RowNumber, optional, required


def _number() -> Column[Any]:
    return Column("id", RowNumber, primary_key=True, nullable=False)


def _of_incident() -> tuple[Any, ...]:
    """The columns that name an incident, `orders#3`, in the tables of what belongs to it."""
    return (
        *required(Text, "cause"),
        *required(Integer, "number"),
        ForeignKeyConstraint(["cause", "number"], ["incidents.cause", "incidents.number"]),
    )


def _of_those(condition: str, name: str, *columns: str, unique: bool = False) -> Index:
    """An index of the rows that meet the condition."""
    return Index(name, *columns, unique=unique, sqlite_where=text(condition), postgresql_where=text(condition))


# What the board remembers of each check's readings; `recent` has a + for each good one and a - for each bad one, the newest last.
signals = Table(
    "signals",
    TABLES,
    *required(Text, "product", "check_name", "recent"),
    *optional(MomentColumn, "last_at", "last_bad_at", "failing_since", "well_since"),
    *required(Prose, "reason"),
    *required(Boolean, "accepted"),
    Column("failures", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("product", "check_name"),
)

# `cause` is the product at the root, `number` counts its incidents. One cause has at most one live incident: the database sees to it.
incidents = Table(
    "incidents",
    TABLES,
    *required(Text, "cause"),
    *required(Integer, "number"),
    *required(MomentColumn, "began_at", "opened_at", "changed_at"),
    *required(Text, "status"),
    *optional(MomentColumn, "acknowledged_at", "started_at", "resolved_at"),
    *optional(Text, "resolution"),
    *required(Integer, "reopened"),
    *required(JSON, "moved_to"),
    *required(Text, "severity"),
    *required(Prose, "title"),
    PrimaryKeyConstraint("cause", "number"),
    _of_those("status <> 'resolved'", "ix_incidents_live", "cause", unique=True),
    Index(None, "opened_at"),
)

# Everything that happened to an incident, acknowledgements too; appended, never changed.
incident_events = Table(
    "incident_events",
    TABLES,
    _number(),
    *_of_incident(),
    *required(MomentColumn, "at"),
    *required(Text, "kind"),
    *required(Prose, "person", "note"),
    Index(None, "cause", "number"),
)

incident_impacts = Table(
    "incident_impacts",
    TABLES,
    *_of_incident(),
    *required(Text, "product"),
    *required(MomentColumn, "since"),
    PrimaryKeyConstraint("cause", "number", "product"),
    Index(None, "product"),
)

incident_checks = Table(
    "incident_checks",
    TABLES,
    *_of_incident(),
    *required(Text, "check_name"),
    PrimaryKeyConstraint("cause", "number", "check_name"),
)

# The outbox: `key` says what the message is about and to which channel, so that it is written once however often it is decided.
# A sender claims a message for a while; who dies over it loses the claim. `attempts` counts claims, so it tells one from the next.
messages = Table(
    "messages",
    TABLES,
    Column("key", Text, primary_key=True, nullable=False),
    *required(Text, "kind", "channel", "product", "domain", "incident"),
    *required(Prose, "subject", "body"),
    *required(MomentColumn, "not_before", "created_at"),
    *required(Integer, "attempts"),
    *optional(MomentColumn, "tried_since", "next_at"),
    *optional(Text, "claimed_by"),
    *optional(MomentColumn, "claimed_at", "claimed_until"),
    *required(Prose, "last_error"),
    *optional(MomentColumn, "sent_at", "given_up_at", "withdrawn_at"),
    *required(Prose, "withdrawn_because"),
    Column("says", JSON, nullable=False, server_default="[]"),
    _of_those("sent_at is null and given_up_at is null and withdrawn_at is null", "ix_messages_due", "not_before"),
    Index(None, "incident"),
    Index(None, "created_at"),
    Index(None, "kind", "product", "created_at"),
)

subscriptions = Table(
    "subscriptions",
    TABLES,
    _number(),
    *required(Text, "product", "subscriber", "channel", "severity"),
    *required(MomentColumn, "since"),
    *optional(MomentColumn, "until"),
    UniqueConstraint("product", "subscriber", "channel"),
    Index(None, "subscriber"),
)

# Who read what: `port` is an output port, or a data set where it was not read through a port. `columns` are told by warehouses alone.
reads = Table(
    "reads",
    TABLES,
    _number(),
    *required(Text, "product", "port"),
    *required(Prose, "reader"),
    *required(MomentColumn, "at"),
    *required(Text, "kind"),
    *optional(JSON, "columns"),
    Index(None, "product", "at"),
)

# What a refresh took of a warehouse's compute, and until when a warehouse has told of use.
refresh_credits = Table(
    "refresh_credits",
    TABLES,
    Column("run_id", Text, primary_key=True),
    *required(Text, "product"),
    *required(Float, "credits"),
    Index(None, "product"),
)
use_known = Table("use_known", TABLES, Column("name", Text, primary_key=True), *required(MomentColumn, "until"))

# Time that counts neither as good nor as bad: dated, owned; withdrawn, never deleted. An empty `check_name` means every objective.
exclusions = Table(
    "exclusions",
    TABLES,
    _number(),
    *required(Text, "product", "check_name", "kind"),
    *required(MomentColumn, "starts_at", "ends_at"),
    *required(Text, "reason", "person"),
    *required(MomentColumn, "created_at"),
    *optional(MomentColumn, "withdrawn_at"),
    *optional(Text, "withdrawn_by"),
    Index(None, "product", "starts_at"),
)

# Monitors as they were applied. One that changes ends and begins anew, so that what was meant when, and by whom, stays known.
# Of one name at most one is deployed: the database sees to it.
monitors = Table(
    "monitors",
    TABLES,
    _number(),
    *required(Text, "product", "domain", "name", "fingerprint"),
    *required(JSON, "definition", "work"),
    *required(MomentColumn, "applied_at"),
    *required(Prose, "applied_by"),
    *optional(MomentColumn, "ended_at"),
    *optional(Prose, "ended_by"),
    _of_those("ended_at is null", "ix_monitors_deployed", "product", "name", unique=True),
)

# What each known consumer outside of the mesh answered last.
consumer_probes = Table(
    "consumer_probes",
    TABLES,
    *required(Text, "product", "consumer"),
    *required(MomentColumn, "at"),
    *required(Boolean, "answers"),
    *required(Prose, "said"),
    PrimaryKeyConstraint("product", "consumer"),
)

# Since when each product is known to be certified; one that is no longer so has none.
certifications = Table(
    "certifications", TABLES, *required(Text, "product"), *required(MomentColumn, "since"), PrimaryKeyConstraint("product")
)

# Who has vouched for a product, until when and on which criteria; one that is lost says why. The newest of a product counts. One with a
# stage signs the product off for that stage of its life: the newest of each person counts.
certificates = Table(
    "certificates",
    TABLES,
    _number(),
    *required(Text, "product"),
    *required(Prose, "person", "why"),
    *required(MomentColumn, "since", "until"),
    *required(JSON, "criteria"),
    *optional(MomentColumn, "ended_at"),
    *required(Prose, "ended_because"),
    Column("stage", Text, nullable=False, server_default=""),
    Index(None, "product"),
)

# What consumers expect of a product beyond what it promises: the objective, what for, and how it came out when it was tried. Its owner
# accepts it by having it in product.yaml, or declines it with a reason.
expectations = Table(
    "expectations",
    TABLES,
    _number(),
    *required(Text, "product"),
    *required(Prose, "title"),
    *required(JSON, "component"),
    *required(Prose, "purpose", "person", "tried"),
    *required(MomentColumn, "since"),
    *required(Text, "outcome"),
    *required(Prose, "why", "decided_by"),
    *optional(MomentColumn, "decided_at"),
    Index(None, "product"),
)

# Under which contract a version was published, as JSON; a version whose contract is that of the one before has none.
published_contracts = Table(
    "published_contracts",
    TABLES,
    *required(Text, "product", "version"),
    *required(MomentColumn, "at"),
    *required(Text, "contract"),
    PrimaryKeyConstraint("product", "version"),
)

# Consumers that have moved from a port that ends to the one that takes its place, and who has said so.
port_switches = Table(
    "port_switches",
    TABLES,
    *required(Text, "product", "port", "consumer"),
    *required(Prose, "person"),
    *required(MomentColumn, "at"),
    PrimaryKeyConstraint("product", "port", "consumer"),
)

# Who asked for which role of which product; what was decided follows as events. Nothing of either is ever changed.
grants = Table(
    "grants",
    TABLES,
    _number(),
    *required(Text, "product", "role", "subject"),
    *required(Prose, "purpose"),
    *required(JSON, "attributes"),
    *required(Prose, "requested_by"),
    *required(MomentColumn, "requested_at"),
    Index(None, "product"),
    Index(None, "subject"),
)

grant_events = Table(
    "grant_events",
    TABLES,
    _number(),
    *required(BigInteger, "grant_id"),
    *required(MomentColumn, "at"),
    *required(Text, "act"),
    *required(Prose, "person", "why"),
    *optional(MomentColumn, "until"),
    ForeignKeyConstraint(["grant_id"], ["grants.id"]),
    Index(None, "grant_id"),
)

# What people say of products, one of each person. A hidden one stays, with who has hidden it and why.
reviews = Table(
    "reviews",
    TABLES,
    *required(Text, "product"),
    *required(Prose, "person"),
    *required(Integer, "stars"),
    *required(Prose, "said"),
    *required(MomentColumn, "at"),
    *required(Prose, "answer", "answered_by"),
    *optional(MomentColumn, "answered_at"),
    *required(Prose, "hidden_by", "hidden_because"),
    *optional(MomentColumn, "hidden_at"),
    PrimaryKeyConstraint("product", "person"),
)

# What was asked in the data lab, never what came of it. One with a title was saved for others; the others only tell of use.
lab_queries = Table(
    "lab_queries",
    TABLES,
    _number(),
    *required(Prose, "person"),
    *required(MomentColumn, "at"),
    *required(Text, "product"),
    *required(Prose, "query"),
    *required(Float, "seconds"),
    *required(Prose, "title"),
    Index(None, "title"),
)

# Tokens of people for machines, by the digest of what was shown once. `scopes` say what each is for.
access_tokens = Table(
    "access_tokens",
    TABLES,
    _number(),
    *required(Text, "digest"),
    *required(Prose, "person"),
    *required(JSON, "groups"),
    *required(Prose, "title"),
    *required(JSON, "scopes"),
    *required(MomentColumn, "made_at", "expires_at"),
    *optional(MomentColumn, "revoked_at", "last_used_at"),
    UniqueConstraint("digest"),
)

# Sessions of the marketplace that were signed out of, for as long as a copy of their cookie could be used.
ended_sessions = Table(
    "ended_sessions", TABLES, *required(Text, "digest"), *required(MomentColumn, "ended_at"), PrimaryKeyConstraint("digest")
)

# The letters of each product over time: a row when they change, and at least one a day.
scores = Table(
    "scores",
    TABLES,
    *required(Text, "product"),
    *required(MomentColumn, "at"),
    *required(Integer, "total"),
    *required(Text, "badge"),
    *required(JSON, "letters"),
    PrimaryKeyConstraint("product", "at"),
)

# The newest score of each product with all that it tells, and what was tried for it, so that it need not be tried again.
newest_scores = Table(
    "newest_scores",
    TABLES,
    *required(Text, "product"),
    *required(MomentColumn, "at"),
    *required(Integer, "total"),
    *required(Text, "badge"),
    *required(JSON, "letters", "told", "tried"),
    PrimaryKeyConstraint("product"),
)

# What each control port gets: its one document, or its events by item. `content` is a hash, so that nothing is sent twice.
control_deliveries = Table(
    "control_deliveries",
    TABLES,
    *required(Text, "product", "port", "item", "content", "version"),
    *required(MomentColumn, "tried_at", "next_at"),
    *required(Integer, "attempts"),
    *required(Prose, "last_error"),
    *optional(MomentColumn, "taken_at"),
    PrimaryKeyConstraint("product", "port", "item"),
)

# Machines that are told of each new version of a product, and from what, with a key, the secret follows that these calls are signed with.
version_hooks = Table(
    "version_hooks",
    TABLES,
    _number(),
    *required(Text, "product"),
    *required(Prose, "person", "url"),
    *required(Text, "secret"),
    *required(MomentColumn, "since"),
    *optional(MomentColumn, "ended_at"),
    *optional(JSON(none_as_null=True), "known"),
    Index(None, "product"),
)
