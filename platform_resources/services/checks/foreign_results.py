"""Import results of dbt tests that ran elsewhere into the run history and the ledger; importing twice adds nothing."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

from filelock import FileLock, Timeout

from platform_resources.dbt.imported.artefacts import Artefacts, ForeignResult
from platform_resources.dbt.imported.matching import Matched, Refused, matches
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.checks import imported_checks, retire, take_in
from platform_resources.ledger.queries import history
from platform_resources.ledger.records import Check, check_id
from platform_resources.plan.plan import MeshPlan
from platform_resources.services.checks.removed_tests import ImportedFrom, removed_checks

LOCK = ".mesh/import.lock"
_WAIT_SECONDS = 60.0
MICROSECOND = timedelta(microseconds=1)
# Clocks of two computers differ a little. A result of tomorrow would hide everything that is imported until then.
CLOCKS_DIFFER = timedelta(minutes=5)

Outcome = Literal["new", "known", "older"]


class ImportLog(Protocol):
    """The run history as an import uses it; the ledger is built from this history."""

    def synced(self, now: datetime) -> AbstractContextManager[Ledger]:
        """The ledger, synced with this history. Raises LedgerUnavailable."""
        ...

    def report(self, match: Matched, result: ForeignResult, artefacts: Artefacts) -> None:
        """Record a result."""
        ...

    def origins(self, checks: Sequence[Check]) -> Iterator[ImportedFrom]:
        """The origin of each check's newest result; results missing from the history are left out."""
        ...


class ImportBusy(Exception):
    """Raised if another import holds the lock for too long."""


@dataclass(frozen=True, slots=True)
class ImportedTest:
    """One result with its check. `known`: already imported; `older`: a newer result exists and still counts."""

    match: Matched
    result: ForeignResult
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Imported:
    """The outcome of importing one dbt invocation: every result, and tests that its project no longer has."""

    invocation_id: str
    tests: tuple[ImportedTest, ...]
    refused: tuple[Refused, ...]
    removed: tuple[Check, ...] = ()

    def count(self, outcome: Outcome) -> int:
        """The number of results with this outcome."""
        return sum(test.outcome == outcome for test in self.tests)

    @property
    def products(self) -> frozenset[str]:
        """The products whose tests have a result or were removed."""
        return frozenset((*(test.match.product for test in self.tests), *(check.product for check in self.removed)))

    @property
    def not_met(self) -> tuple[ImportedTest, ...]:
        """Results that are missed or unknown, new or not."""
        return tuple(test for test in self.tests if test.result.verdict != "met")


def import_results(
    state: Path,
    plan: MeshPlan,
    artefacts: Artefacts,
    log: ImportLog,
    now: datetime,
    only: Collection[str] | None = None,
) -> Imported:
    """Add new results to the run history, then sync the ledger. Raises ImportBusy and LedgerUnavailable.

    With `only` those of other products are refused, and none of their checks is taken away.

    One import at a time: two of the same file must not both find it new.
    """
    lock = state / LOCK
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=_WAIT_SECONDS):
            return _import(plan, artefacts, log, now, only)
    except Timeout:
        raise ImportBusy(f"another import has run for {_WAIT_SECONDS:g} s ({lock}); wait for it, or end it, and import again") from None


def _import(plan: MeshPlan, artefacts: Artefacts, log: ImportLog, now: datetime, only: Collection[str] | None) -> Imported:
    belonging = {name: _within(match, only) for name, match in matches(plan, artefacts.tests).items()}
    matched, refused = _sorted(artefacts, belonging, now)
    with log.synced(now) as ledger:
        tests = tuple(_told_apart(ledger, matched, now))
    for test in tests:
        if test.outcome == "new":
            log.report(test.match, test.result, artefacts)
    with log.synced(now) as ledger:
        removed = _brought_up_to_date(ledger, log, tests, artefacts, belonging, now, only)
    return Imported(artefacts.invocation_id, tests, refused, removed)


def _within(match: Matched | Refused, only: Collection[str] | None) -> Matched | Refused:
    if only is None or isinstance(match, Refused) or match.product in only:
        return match
    return Refused(match.test, f"it is of {match.product}, of which only its owner sends results")


def _brought_up_to_date(
    ledger: Ledger,
    log: ImportLog,
    tests: Sequence[ImportedTest],
    artefacts: Artefacts,
    belonging: Mapping[str, Matched | Refused],
    now: datetime,
    only: Collection[str] | None,
) -> tuple[Check, ...]:
    """What the ledger has of imported tests is what the project has. Gives the checks that are retired by that."""
    new = [check_id(test.match.key, test.match.check) for test in tests if test.outcome == "new" and test.match.planned is None]
    with ledger.projecting() as connection:
        take_in(connection, new)
        imported = [check for check in imported_checks(connection, retired=False) if only is None or check.product in only]
        gone = removed_checks(tuple(log.origins(imported)), artefacts, belonging)
        retire(connection, [check.id for check in gone], now)
    return gone


def _sorted(
    artefacts: Artefacts, matches: Mapping[str, Matched | Refused], now: datetime
) -> tuple[Sequence[tuple[Matched, ForeignResult]], tuple[Refused, ...]]:
    """Results with their checks, in the order of time, and those that are refused."""
    matched: list[tuple[Matched, ForeignResult]] = []
    refused: list[Refused] = []
    for result in sorted(artefacts.results, key=lambda result: (result.at, result.test.unique_id)):
        match matches[result.test.unique_id]:
            case Refused() as refusal:
                refused.append(refusal)
            case Matched() if result.at > now + CLOCKS_DIFFER:
                reason = f"it was done at {result.at:%Y-%m-%d %H:%M} UTC, which is yet to come; set the clock right where it ran, or here"
                refused.append(Refused(result.test, reason))
            case Matched() as match:
                matched.append((match, result))
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


def imported_data(done: Imported) -> dict[str, Any]:
    """The import as JSON data."""
    return {
        "invocation_id": done.invocation_id,
        "new": done.count("new"),
        "known": done.count("known"),
        "older": done.count("older"),
        "tests": [_test_data(test) for test in done.tests],
        "refused": [{"test": refused.test.unique_id, "reason": refused.reason} for refused in done.refused],
        "removed": [{"product": check.product, "asset": check.asset_key, "check": check.name} for check in done.removed],
    }


def _test_data(test: ImportedTest) -> dict[str, Any]:
    match, result = test.match, test.result
    return {
        "product": match.product,
        "asset": "/".join(match.key),
        "check": match.check,
        "planned": match.planned is not None,
        "test": result.test.unique_id,
        "verdict": result.verdict,
        "severity": result.severity,
        "reason": result.reason,
        "failing_rows": result.failing_rows,
        "at": result.at.isoformat(),
        "outcome": test.outcome,
    }
