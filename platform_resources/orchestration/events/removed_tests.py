"""Which imported tests are no longer in the dbt project that they came from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from platform_resources.dbt.imported.artefacts import Artefacts
from platform_resources.dbt.imported.matching import Matched, Refused
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.payload import ImportedSaid, from_metadata
from platform_resources.ledger.people.checks import imported_checks
from platform_resources.ledger.records import Check, check_id
from platform_resources.orchestration.asset_specs import asset_key

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ImportedFrom:
    """Where an imported check came from: what dbt calls the test, its project, and when it ran last."""

    check: Check
    unique_id: str
    project: str
    at: datetime


def origins(connection: Connection, instance: dg.DagsterInstance) -> tuple[ImportedFrom, ...]:
    """Of every imported check that is not retired, as its newest evaluation in the event log tells it; what the log lost is left out."""
    checks = {_dagster_key(check): check for check in imported_checks(connection, retired=False)}
    keys, storage = list(checks), instance.event_log_storage
    parts = (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))
    newest = {key: record.event for part in parts for key, record in storage.get_latest_asset_check_execution_by_key(part).items()}
    return tuple(found for key, event in newest.items() if event is not None for found in _origin(checks[key], event))


def _dagster_key(check: Check) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(asset_key(tuple(check.asset_key.split("/"))), check.name)


def _origin(check: Check, entry: dg.EventLogEntry) -> Iterator[ImportedFrom]:
    """Imports of former platforms told no project; then it is taken for the package that the test's name begins with."""
    metadata = entry.get_dagster_event().asset_check_evaluation_data.metadata
    said = from_metadata(ImportedSaid, {name: value.value for name, value in metadata.items()})
    if said.test:
        package = (*said.test.split("."), "")[1]
        at = said.measured_at or datetime.fromtimestamp(entry.timestamp, UTC)
        yield ImportedFrom(check, said.test, said.project or package, at)


def removed_checks(known: Sequence[ImportedFrom], artefacts: Artefacts, belonging: Mapping[str, Matched | Refused]) -> tuple[Check, ...]:
    """The checks of this project whose tests its manifest has no more, or whose tests report elsewhere now.

    A test that merely did not run this time is in the manifest. An import that is older than what is known of the project says nothing.
    """
    own = [origin for origin in known if artefacts.project and origin.project == artefacts.project]
    if any(origin.at > artefacts.at for origin in own):
        return ()
    ran = {result.test.unique_id for result in artefacts.results}
    return tuple(origin.check for origin in own if _is_removed(origin, belonging, ran))


def _is_removed(origin: ImportedFrom, belonging: Mapping[str, Matched | Refused], ran: set[str]) -> bool:
    """One whose product cannot be told now stays; one that moved is gone here as soon as it has said something there."""
    match belonging.get(origin.unique_id):
        case None:
            return True
        case Matched() as found:
            return origin.unique_id in ran and check_id(found.key, found.check) != origin.check.id
        case Refused():
            return False
