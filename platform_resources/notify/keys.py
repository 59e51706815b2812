"""Keys of messages: equal news to the same channel have equal keys, so each is sent once.

    incident/orders#3/0/first/high@20260615T050000.000000Z/sales.alerts
    incident/orders#3/0/update/critical@20260615T093000.000000Z/sales.alerts
    incident/orders#3/0/reminder/2/sales.alerts
    incident/orders#3/0/recovery/-/sales.alerts
    budget/orders/fresh_on_most_days/75@20260615T000000.000000Z/sales.alerts
    schema/orders/20260615T050000-1a2b/finance.alerts
    schema/orders/inputs/6f1c0a52-8d0b-4f43/sales.alerts
    schema/orders/ports/orders_sql/soon@2027-06-30/finance.alerts
    digest/sales/2026-06-15/sales.alerts
    version/orders/20260615T050000-1a2b/hook:3
    schema/orders/retired@20270630T090000.000000Z/finance.alerts
    certificate/orders/20260102T090000.000000Z/finance.alerts
    access/orders/g7/approved@20260615T050000.000000Z/ana@example.com

The number after an incident is its phase: how often it was reopened. The moment of a first message or an update is when the newest trouble
that it tells of began, so a key says what the channel has heard without a list of products in it, which would outgrow a database's index.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, get_args

from platform_resources.incidents.life_cycle import Incident
from platform_resources.spec.notifications import Severity

About = Literal["first", "update", "reminder", "recovery"]
EVER = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENT = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True, slots=True)
class IncidentKey:
    """A parsed key of an incident message. First messages and updates have `severity` and `moment`, reminders a `number`."""

    key: str
    phase: int
    about: About
    channel: str
    severity: Severity = "low"
    moment: datetime = EVER
    number: int = 0


@dataclass(frozen=True, slots=True)
class BudgetKey:
    """A parsed key of a budget message: the level, and when consumption was last below it."""

    level: int
    below_at: datetime
    channel: str


def told_key(incident: Incident, about: Literal["first", "update"], severity: Severity, moment: datetime, channel: str) -> str:
    """The key of a first message or an update about an incident."""
    return f"{_of(incident)}{about}/{severity}@{_text(moment)}/{channel}"


def reminder_key(incident: Incident, number: int, channel: str) -> str:
    """The key of a reminder about an unacknowledged incident."""
    return f"{_of(incident)}reminder/{number}/{channel}"


def recovery_key(incident: Incident, channel: str) -> str:
    """The key of the message that an incident has ended."""
    return f"{_of(incident)}recovery/-/{channel}"


def budget_key(product: str, indicator: str, level: int, below_at: datetime, channel: str) -> str:
    """The key of a message about an error budget's level."""
    return f"budget/{product}/{indicator}/{level}@{_text(below_at)}/{channel}"


def schema_key(product: str, version: str, channel: str) -> str:
    """The key of a message about a version's schema change."""
    return f"schema/{product}/{version}/{channel}"


def input_key(product: str, run_id: str, channel: str) -> str:
    """The key of a message about column changes in a pull."""
    return f"schema/{product}/inputs/{run_id}/{channel}"


def ending_key(product: str, port: str, stage: str, end: date | None, channel: str) -> str:
    """The key of a message about a port that ends; with another end date it is told anew."""
    return f"schema/{product}/ports/{port}/{stage}@{end or ''}/{channel}"


def retired_key(product: str, at: datetime, channel: str) -> str:
    """The key of the message that a product is retired."""
    return f"schema/{product}/retired@{_text(at)}/{channel}"


def is_retired_key(key: str) -> bool:
    """Whether a key is one of `retired_key`."""
    return key.startswith("schema/") and key.split("/")[2].startswith("retired@")


def is_ending_key(key: str) -> bool:
    """Whether a key is one of `ending_key`."""
    return key.startswith("schema/") and key.split("/")[2] == "ports"


def access_key(product: str, grant: str, what: str, at: datetime, channel: str) -> str:
    """The key of a message about a past or coming event of a grant."""
    return f"access/{product}/{grant}/{what}@{_text(at)}/{channel}"


def certificate_key(product: str, granted_at: datetime, channel: str) -> str:
    """The key of the message that a certificate is lost or over."""
    return f"certificate/{product}/{_text(granted_at)}/{channel}"


def version_key(product: str, version: str, channel: str) -> str:
    """The key of a message about a new version."""
    return f"version/{product}/{version}/{channel}"


def digest_key(domain: str, day: date, channel: str) -> str:
    """The key of a domain's daily digest."""
    return f"digest/{domain}/{day.isoformat()}/{channel}"


def incident_keys(known: Iterable[str], incident: Incident) -> tuple[IncidentKey, ...]:
    """The known keys of this incident, in all phases."""
    start = f"incident/{incident.name}/"
    return tuple(_incident_key(key, *key.removeprefix(start).split("/", 3)) for key in known if key.startswith(start))


def budget_keys(known: Iterable[str], product: str, indicator: str) -> tuple[BudgetKey, ...]:
    """The known keys of this indicator's budget."""
    start = f"budget/{product}/{indicator}/"
    return tuple(_budget_key(*key.removeprefix(start).split("/", 1)) for key in known if key.startswith(start))


def _of(incident: Incident) -> str:
    return f"incident/{incident.name}/{incident.reopened}/"


def _incident_key(key: str, phase: str, about: str, detail: str, channel: str) -> IncidentKey:
    kind = next(known for known in get_args(About) if known == about)
    if kind == "reminder":
        return IncidentKey(key, int(phase), kind, channel, number=int(detail))
    if kind == "recovery":
        return IncidentKey(key, int(phase), kind, channel)
    severity, _, at = detail.partition("@")
    word = next(known for known in get_args(Severity) if known == severity)
    return IncidentKey(key, int(phase), kind, channel, word, _moment(at))


def _budget_key(detail: str, channel: str) -> BudgetKey:
    level, _, at = detail.partition("@")
    return BudgetKey(int(level), _moment(at), channel)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_MOMENT)


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)
