"""How results of dbt tests that ran elsewhere get into Dagster's event log, each once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import dagster as dg
from filelock import FileLock, Timeout

from platform_resources.dbt.imported.artefacts import Artefacts, ForeignResult
from platform_resources.dbt.imported.matching import Matched, Refused, matches
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.payload import CheckSaid, ImportedSaid, to_metadata
from platform_resources.ledger.people.checks import retire, take_in
from platform_resources.ledger.queries import history
from platform_resources.ledger.records import Check, check_id
from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.orchestration.events.removed_tests import origins, removed_checks
from platform_resources.orchestration.events.results import SEVERITIES
from platform_resources.plan.plan import MeshPlan

KIND = "imported"
LOCK = ".mesh/import.lock"
MICROSECOND = timedelta(microseconds=1)
# Clocks of two computers differ a little. A result of tomorrow would hide everything that is imported until then.
CLOCKS_DIFFER = timedelta(minutes=5)

Outcome = Literal["new", "known", "older"]


class ImportBusy(Exception):
    """Raised where another import does not end."""


@dataclass(frozen=True, slots=True)
class ImportedTest:
    """One result and its check. `known`: it was imported before; `older`: the check has said something newer, which still holds."""

    match: Matched
    result: ForeignResult
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of every result of one invocation of dbt, and the tests of its project that are there no more."""

    invocation_id: str
    tests: tuple[ImportedTest, ...]
    refused: tuple[Refused, ...]
    removed: tuple[Check, ...] = ()

    def count(self, outcome: Outcome) -> int:
        return sum(test.outcome == outcome for test in self.tests)

    @property
    def not_met(self) -> tuple[ImportedTest, ...]:
        """What was missed or is unknown, whether it is new or not."""
        return tuple(test for test in self.tests if test.result.verdict != "met")


def import_results(
    state: Path, plan: MeshPlan, artefacts: Artefacts, instance: dg.DagsterInstance, now: datetime, wait_seconds: float = 60.0
) -> Imported:
    """Report what is new as evaluations of asset checks, then bring the ledger up to date. Raises ImportBusy and LedgerUnavailable.

    One import at a time: two of the same file must not both find it new.
    """
    lock = state / LOCK
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=wait_seconds):
            return _import(state, plan, artefacts, instance, now)
    except Timeout:
        raise ImportBusy(f"another import has run for {wait_seconds:g} s ({lock}); wait for it, or end it, and import again") from None


def _import(state: Path, plan: MeshPlan, artefacts: Artefacts, instance: dg.DagsterInstance, now: datetime) -> Imported:
    belonging = matches(plan, artefacts.tests)
    matched, refused = _sorted(artefacts, belonging, now)
    with synced_ledger(state, instance, now) as ledger:
        tests = tuple(_told_apart(ledger, matched, now))
    for test in tests:
        if test.outcome == "new":
            instance.report_runless_asset_event(evaluation(test.match, test.result, artefacts))
    with synced_ledger(state, instance, now) as ledger:
        removed = _brought_up_to_date(ledger, instance, tests, artefacts, belonging, now)
    return Imported(artefacts.invocation_id, tests, refused, removed)


def _brought_up_to_date(
    ledger: Ledger,
    instance: dg.DagsterInstance,
    tests: Sequence[ImportedTest],
    artefacts: Artefacts,
    belonging: Mapping[str, Matched | Refused],
    now: datetime,
) -> tuple[Check, ...]:
    """What the ledger has of imported tests is what the project has. Gives the checks that are retired by that."""
    new = [check_id(test.match.key, test.match.check) for test in tests if test.outcome == "new" and test.match.planned is None]
    with ledger.projecting() as connection:
        take_in(connection, new)
        gone = removed_checks(origins(connection, instance), artefacts, belonging)
        retire(connection, [check.id for check in gone], now)
    return gone


def _sorted(
    artefacts: Artefacts, found: Mapping[str, Matched | Refused], now: datetime
) -> tuple[Sequence[tuple[Matched, ForeignResult]], tuple[Refused, ...]]:
    """Results with their checks, in the order of time, and those that are refused."""
    matched: list[tuple[Matched, ForeignResult]] = []
    refused: list[Refused] = []
    for result in sorted(artefacts.results, key=lambda each: (each.at, each.test.unique_id)):
        match found[result.test.unique_id]:
            case Refused() as each:
                refused.append(each)
            case Matched() if result.at > now + CLOCKS_DIFFER:
                told = f"it was done at {result.at:%Y-%m-%d %H:%M} UTC, which is yet to come; set the clock right where dbt runs, or here"
                refused.append(Refused(result.test, told))
            case Matched() as each:
                matched.append((each, result))
    return matched, tuple(refused)


def _told_apart(ledger: Ledger, matched: Sequence[tuple[Matched, ForeignResult]], now: datetime) -> Iterator[ImportedTest]:
    """Dagster takes what was reported last for what holds now. So nothing is reported behind something newer."""
    with ledger.reading() as connection:
        products = {match.product for match, _ in matched}
        states = history.check_states(connection, now + CLOCKS_DIFFER, products, retired=True)
        newest = {state.check.id: state.reading.at for state in states if state.reading is not None}
        for match, result in matched:
            number = check_id(match.key, match.check)
            last = newest.get(number)
            if last is None or last < result.at:
                yield ImportedTest(match, result, "new")
            else:
                same = history.readings(connection, number, result.at, result.at + MICROSECOND)
                yield ImportedTest(match, result, "known" if same else "older")


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
