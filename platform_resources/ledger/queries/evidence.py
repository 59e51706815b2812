"""What the ledger knows of each product's state, kept in memory between looks until something is written about it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection

from platform_resources.ledger.changes import ProductChange, changes
from platform_resources.ledger.queries import history, use
from platform_resources.ledger.queries.history import RememberedCheck
from platform_resources.ledger.queries.objective_history import going_on
from platform_resources.ledger.queries.standing import IndicatorEvidence, JudgedBefore, Standing, indicator_evidence, judged
from platform_resources.ledger.records import Run, Scorecard
from platform_resources.plan.plan import ProductPlan

REFRESHES_OVER, VERSIONS_OVER = timedelta(days=30), timedelta(days=60)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one product: its checks with what each said last, its last runs, its last scorecard, and what its indicators watch.

    `refreshes` are when those of the last month began that succeeded, and their seconds; `versions` when it published within two months,
    `first_version_at` when its first real version was.
    """

    checks: tuple[RememberedCheck, ...]
    ended: Run | None
    running: Run | None
    scorecard: Scorecard | None
    refreshes: tuple[tuple[datetime, float], ...]
    indicators: IndicatorEvidence
    versions: tuple[datetime, ...]
    first_version_at: datetime | None


@dataclass(slots=True)
class _Kept:
    plan: ProductPlan
    change: ProductChange | None
    read_at: datetime
    evidence: Evidence
    judged: JudgedBefore


@dataclass(slots=True)
class Memory:
    """What was read and judged of products, for one reader that looks again and again. `made_up`: history that is made up counts too."""

    made_up: bool = False
    kept: dict[str, _Kept] = field(default_factory=dict)
    derived: dict[str, tuple[ProductPlan, Any]] = field(default_factory=dict)

    def look(self, connection: Connection, products: Sequence[ProductPlan], now: datetime) -> None:
        """Read what has changed of these products, and bring their standings to `now`."""
        latest = changes(connection)
        stale = [product for product in products if not self._holds(product, latest.get(product.name), now)]
        fresh = evidence_of(connection, stale, now, self.made_up)
        for product in stale:
            before = self.kept.get(product.name)
            evidence = fresh[product.name]
            standings = judged(product, evidence.indicators, now, before.judged if before is not None else None)
            kept = JudgedBefore(now, evidence.indicators, standings)
            self.kept[product.name] = _Kept(product, latest.get(product.name), now, evidence, kept)
        read = {product.name for product in stale}
        for product in products:
            if product.name not in read:
                self.kept[product.name].plan = product
                self._judge_again(product, now)

    def _judge_again(self, product: ProductPlan, now: datetime) -> None:
        kept = self.kept[product.name]
        before, evidence = kept.judged, kept.evidence.indicators
        standings = judged(product, evidence, now, before)
        if any(new is not old for new, old in zip(standings, before.standings, strict=True)):
            kept.judged = JudgedBefore(now, evidence, standings)

    def _holds(self, product: ProductPlan, change: ProductChange | None, now: datetime) -> bool:
        """Nothing was written since, nothing is stamped later than it was read, and the month of refreshes is still about the same."""
        kept = self.kept.get(product.name)
        if kept is None or kept.change != change or (kept.plan is not product and kept.plan != product):
            return False
        seen = change is None or change.latest_at <= kept.read_at
        return seen and kept.read_at <= now < kept.read_at + REFRESHES_OVER

    def of_plan(self, product: ProductPlan, make: Callable[[ProductPlan], T]) -> T:
        """What follows from a product's plan alone, made when it is first asked for; `make` is always the same."""
        known = self.derived.get(product.name)
        if known is None or known[0] is not product:
            known = self.derived[product.name] = (product, make(product))
        kept: T = known[1]
        return kept

    def evidence(self, product: str) -> Evidence:
        """The evidence of each product as of the last look."""
        return self.kept[product].evidence

    def standings(self, product: str) -> tuple[Standing, ...]:
        """The standings of each product's indicators as of the last look."""
        return self.kept[product].judged.standings


def evidence_of(connection: Connection, products: Sequence[ProductPlan], now: datetime, made_up: bool = False) -> Mapping[str, Evidence]:
    """Read all that is known of these products at `now`. The ledger must be synced before."""
    names = [product.name for product in products]
    checks: dict[str, list[RememberedCheck]] = {name: [] for name in names}
    for state in history.check_states(connection, now, names) if names else ():
        checks[state.check.product].append(state)
    ended, cards = history.last_ended_runs(connection, names, now), history.last_scorecards(connection, names, now)
    return {
        product.name: Evidence(
            tuple(checks[product.name]),
            ended.get(product.name),
            going_on(connection, product.name, now),
            cards.get(product.name),
            history.refresh_seconds(connection, product.name, now - REFRESHES_OVER, now),
            indicator_evidence(connection, product, now, made_up),
            *use.update_times(connection, product.name, now - VERSIONS_OVER),
        )
        for product in products
    }
