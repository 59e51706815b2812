"""What is recorded of a pull, which published versions cite, and which checks of the input it fails."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from platform_resources.access.grants import KnownGrants
from platform_resources.capabilities.measures import Relation
from platform_resources.capabilities.support.recency import of_files, of_pull
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import InputPlan
from platform_resources.redaction.redaction import Hide
from platform_resources.refresh.sources.kept_contracts import hidden_columns
from platform_resources.refresh.sources.quarantine import quarantine_text, quarantined_count
from platform_resources.refresh.sources.shared_pulls import BROUGHT
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.column_names import folded_column
from platform_resources.spec.values.durations import duration_text, length_text
from platform_resources.warehouses.engine_errors import LoadFailed
from platform_resources.warehouses.protocol import ProductDatabase


class PullFailed(Exception):
    """Raised when an input cannot be pulled; the text says why, for the owner. `check` is the input's check that fails."""

    def __init__(self, reason: str, check: str = "arrived") -> None:
        super().__init__(reason)
        self.check = check


@dataclass(frozen=True, slots=True)
class Pulled:
    """What an input port holds after a pull.

    `record` is what published versions cite: the upstream version, the cursor or the file set. `changed` says whether the data
    may differ from before; `failures` has a reason per failed check (`arrived`, `fresh`, `contract`).
    """

    port: str
    record: Mapping[str, Any]
    changed: bool
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None
    failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def degraded(self) -> str:
        """Why not all of it is new and good; rows in quarantine keep no others back."""
        aside = QUARANTINED in self.record
        return "; ".join(reason for check, reason in self.failures.items() if check != "contract" or not aside)


@dataclass(frozen=True, slots=True)
class PullContext:
    """Where and when a pull happens: the mesh's root, its state folder, the time, and the day asked for.

    `hide` takes the secrets out of what a source says. `grants` are those of the ledger, for other domains' ports. `replay` has the
    cursor to read again from, by input. `since` is the first day asked for, where a range of days is made anew.
    """

    root: Path
    state: Path
    now: datetime
    as_of: date
    product: ProductPlan
    hide: Hide
    grants: KnownGrants = field(default_factory=KnownGrants)
    replay: Mapping[str, str] = field(default_factory=dict)
    since: date | None = None

    @property
    def folder(self) -> Path:
        """The product's folder in the mesh."""
        return (self.root / self.product.place.file).parent

    @property
    def clock(self) -> Clock:
        """The time of the pull, in the product's time zone."""
        return Clock(self.product.zone, self.now)


PULLS, FAILURES, CURSORS = "pull", "pull failure", "cursor"
# Of a record: how many rows of the input are in quarantine.
QUARANTINED = "quarantined"
# Of a cursor that records must not show: since when the extractor has returned the same.
SINCE = "cursor_since"
# The fields that say when and how a pull went, not what it brought.
_CIRCUMSTANCES = ("pulled_at", "failures", "watermark", "looks", "options", "grant", BROUGHT)


def substance(record: Mapping[str, Any]) -> dict[str, Any]:
    """A pull record without its circumstances: equal for equal data."""
    return {key: value for key, value in record.items() if key not in _CIRCUMSTANCES}


def recorded(
    database: ProductDatabase, port: InputPlan, context: PullContext, record: dict[str, Any], changed: bool, brought: int | None = None
) -> Pulled:
    """Note the pull. `brought` is how many rows it delivered, all of them if left out; where nothing has changed, what it was goes on."""
    relation = Relation("inputs", port.name)
    columns, rows = database.columns(relation), database.count(relation)
    aside = quarantined_count(database, port.name) if port.set_aside else 0
    whole = {"interface": port.interface, "pulled_at": context.now.isoformat(), **record, "rows": rows}
    whole |= {QUARANTINED: aside} if aside else {}
    whole |= {BROUGHT: rows if brought is None else brought} if changed else _brought_before(database, port)
    database.remember(PULLS, port.name, json.dumps(whole, sort_keys=True))
    failures = failed_checks(database, port, context, whole, rows, aside)
    return Pulled(port.name, whole, changed, columns, rows, failures)


def _brought_before(database: ProductDatabase, port: InputPlan) -> dict[str, int]:
    former = json.loads(database.remembered(PULLS).get(port.name, "{}"))
    return {BROUGHT: former[BROUGHT]} if BROUGHT in former else {}


def failed_checks(
    database: ProductDatabase, port: InputPlan, context: PullContext, record: Mapping[str, Any], rows: int, aside: int
) -> dict[str, str]:
    """Why data of this record is too old (`fresh`), and what the check `contract` says of `aside` rows in quarantine."""
    return {**_stale(port, record, context.clock), **_set_aside(database, port, context, rows, aside)}


def _set_aside(database: ProductDatabase, port: InputPlan, context: PullContext, rows: int, aside: int) -> dict[str, str]:
    """What the check `contract` says of rows in quarantine."""
    if not aside:
        return {}
    hidden = hidden_columns(context.product, port)
    return {"contract": quarantine_text(database, context.product.name, port, aside, rows, hidden)}


def _stale(port: InputPlan, record: Mapping[str, Any], clock: Clock) -> dict[str, str]:
    """Data of an age that is not known is not fresh."""
    if port.max_staleness is None:
        return {}
    accepted = f"at most {duration_text(port.max_staleness)} is accepted"
    recency = of_files(record) if "files" in record else of_pull(record)
    if recency.at is None:
        return {"fresh": f"the age of its data is not known: {recency.unknown}; {accepted}"}
    age = clock.now - recency.at
    if age <= port.max_staleness:
        return {}
    return {"fresh": f"its data is {length_text(age)} old (as of {clock.moment(recency.at)}); {accepted}"}


def note_failures(database: ProductDatabase, pulled: Pulled) -> None:
    """Keep why the input is not good in the product's database; an empty text where it is."""
    reason = f"input port {pulled.port}: {'; '.join(pulled.failures.values())}" if pulled.failures else ""
    database.remember(FAILURES, pulled.port, reason)


def not_loaded(what: str, error: LoadFailed, port: InputPlan, context: PullContext) -> PullFailed:
    """The error for the owner, without a value of a hidden column; a promised column breaks the contract."""
    columns = set(map(folded_column, error.column.split(", ")))
    reason = error.without_value() if columns & hidden_columns(context.product, port) else str(error)
    promised = {folded_column(column.name) for column in port.columns}
    return PullFailed(f"{what}: {reason}", "contract" if columns & promised else "arrived")
