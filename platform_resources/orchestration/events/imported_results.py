"""Results of dbt tests that ran elsewhere, in Dagster's event log."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from platform_resources.dbt.imported.artefacts import Artefacts, ForeignResult
from platform_resources.dbt.imported.matching import Matched
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.payload import CheckSaid, ImportedSaid, from_metadata, to_metadata
from platform_resources.ledger.records import Check
from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.orchestration.events.results import SEVERITIES
from platform_resources.services.checks.removed_tests import ImportedFrom

KIND = "imported"
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ImportsInDagster:
    """An ImportLog over a Dagster instance."""

    state: Path
    instance: dg.DagsterInstance

    def synced(self, now: datetime) -> AbstractContextManager[Ledger]:
        return synced_ledger(self.state, self.instance, now)

    def report(self, match: Matched, result: ForeignResult, artefacts: Artefacts) -> None:
        self.instance.report_runless_asset_event(evaluation(match, result, artefacts))

    def origins(self, checks: Sequence[Check]) -> Iterator[ImportedFrom]:
        by_key = {dg.AssetCheckKey(asset_key(tuple(check.asset_key.split("/"))), check.name): check for check in checks}
        keys, storage = list(by_key), self.instance.event_log_storage
        for start in range(0, len(keys), AT_ONCE):
            for key, record in storage.get_latest_asset_check_execution_by_key(keys[start : start + AT_ONCE]).items():
                # Dagster also gives what has the name of one of these checks and the asset of another.
                if key in by_key and record.event is not None:
                    yield from _origin(by_key[key], record.event)


def _origin(check: Check, entry: dg.EventLogEntry) -> Iterator[ImportedFrom]:
    """Imports of former platforms told no project; then it is taken for the package that the test's name begins with."""
    metadata = entry.get_dagster_event().asset_check_evaluation_data.metadata
    said = from_metadata(ImportedSaid, {name: value.value for name, value in metadata.items()})
    if said.test:
        package = (*said.test.split("."), "")[1]
        at = said.measured_at or datetime.fromtimestamp(entry.timestamp, UTC)
        yield ImportedFrom(check, said.test, said.project or package, at)


def evaluation(match: Matched, result: ForeignResult, artefacts: Artefacts) -> dg.AssetCheckEvaluation:
    """A result as Dagster and the ledger are told of it."""
    kind = match.planned.kind if match.planned is not None else KIND
    said = CheckSaid(verdict=result.verdict, reason=result.reason, kind=kind, measured_at=result.at, failing_rows=result.failing_rows)
    origin = ImportedSaid(result.test.unique_id, artefacts.project, result.at)
    metadata: dict[str, Any] = {**to_metadata(said), **to_metadata(origin), "invocation_id": artefacts.invocation_id}
    if result.sql:
        metadata["sql"] = dg.MetadataValue.md(f"```sql\n{result.sql}\n```")
    return dg.AssetCheckEvaluation(
        asset_key=asset_key(match.key),
        check_name=match.check,
        passed=result.verdict == "met",
        severity=SEVERITIES[result.severity],
        description=result.reason,
        metadata=metadata,
        blocking=match.planned.blocking if match.planned is not None else False,
    )
