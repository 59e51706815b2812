"""The rows of checks other than promises: model tests, input checks, indicators, imported tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from platform_resources.ledger.queries.standing import Standing
from platform_resources.marketplace.display.phrases import VERDICTS, Look, PageTimes
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.grades import CheckState, ProductHealth
from platform_resources.services.indicator_sentences import standing_verdict

_OF_CHECKS: Mapping[str, str] = {
    "dbt_test": "Test of a model, by dbt",
    "input": "Check of an input",
    "imported": "Test that runs elsewhere",
    "refresh": "Refresh",
}
_WORST = ("missed", "unknown", "met")


@dataclass(frozen=True, slots=True)
class WatchedRow:
    """One test or monitor with its last result; `place` is what it checks."""

    title: str
    kind: str
    look: Look
    reason: str
    when: str
    place: str


def watched_rows(product: ProductPlan, health: ProductHealth, standings: Sequence[Standing], times: PageTimes) -> tuple[WatchedRow, ...]:
    """The rows, worst first, without promises, which have their own table."""
    rows = [(check.verdict, _of_check(product, check, times)) for check in health.checks if check.kind in _OF_CHECKS]
    rows += [(standing_verdict(standing), _of_indicator(standing)) for standing in standings]
    return tuple(row for _, row in sorted(rows, key=lambda row: _WORST.index(row[0])))


def _of_check(product: ProductPlan, check: CheckState, times: PageTimes) -> WatchedRow:
    place = "/".join(part for part in check.key if part != product.name)
    reason = "" if check.verdict == "met" else check.reason
    return WatchedRow(
        check.title, _OF_CHECKS[check.kind], VERDICTS[check.verdict], reason, times.moment(check.at) if check.at else "never", place
    )


def _of_indicator(standing: Standing) -> WatchedRow:
    watches = f"watches: {standing.indicator.objective.title}"
    return WatchedRow(standing.indicator.check.title, "Over a window", VERDICTS[standing_verdict(standing)], watches, "by the clock", "")
