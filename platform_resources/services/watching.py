"""Read the current result of every check of a product from the ledger; incidents are based on these observations."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from platform_resources.capabilities.judgements import Judgement, Verdict
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.queries.evidence import Evidence
from platform_resources.ledger.queries.objective_history import refreshes
from platform_resources.ledger.queries.standing import Standing
from platform_resources.ledger.records import Check, CheckReading, Run, check_id
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.conventions import ENDS_CHECK, REFRESH_CHECK, VERSIONS_CHECK, check_text
from platform_resources.plan.faults import fault
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.grades import CheckState, PublishedState, Said, Severity, WatchedCheck, check_state, check_states, shared
from platform_resources.promises.overdue import AT_LEAST, overdue
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.services.product_health import published_state, watched
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.deadlines import kept_until

# An objective that was judged just now, which the ledger does not know yet.
Judged = tuple[ObjectivePlan, Judgement]
# How many refreshes tell what is usual.
USUAL_OF = 20


@dataclass(frozen=True, slots=True)
class Observed:
    """The result of one check. `check` is unique within the product; `at` is the time of the evidence.

    `state` is what it says, with its numbers. `reading` is what was measured last; None for what is not measured by a check: the end of a
    refresh, freshness that time has ended. `imported`: the test runs elsewhere and is not in the plan. `failures` names what failed in a
    refresh.
    """

    product: str
    check: str
    state: CheckState
    at: datetime
    reading: CheckReading | None = None
    imported: bool = False
    failures: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The check's title."""
        return self.state.title

    @property
    def dimension(self) -> str:
        """The check's dimension."""
        return self.state.dimension

    @property
    def verdict(self) -> Verdict:
        """What the check said last: met, missed or unknown."""
        return self.state.verdict

    @property
    def reason(self) -> str:
        """Why, in words."""
        return self.state.reason


def unplanned(
    product: str, name: str, title: str, said: Said, kind: str = "refresh", severity: Severity = "warning", dimension: str = ""
) -> CheckState:
    """An observation that belongs to no planned check, under the given `name` within the product."""
    place, _, own = name.rpartition(":")
    key = (product, *(place or own).split("/"))
    what = WatchedCheck(key, own, title, kind, gate=False, dimension=dimension, severity=severity, fault=fault(name, title))
    return check_state(what, said)


def watched_checks(product: ProductPlan) -> set[str]:
    """Every planned check that can cause an incident, by its name within the product; business targets cannot."""
    checks = (*product.checks, *(indicator.check for indicator in product.indicators))
    return {REFRESH_CHECK, VERSIONS_CHECK, ENDS_CHECK, *(check_text(check.key, check.name) for check in checks if not check.target)}


def observed(
    connection: Connection,
    state: Path,
    products: Sequence[ProductPlan],
    evidence: Mapping[str, Evidence],
    standings: Mapping[str, Sequence[Standing]],
    now: datetime,
    judged: Sequence[Judged] = (),
    checks: Mapping[str, Sequence[WatchedCheck]] | None = None,
) -> tuple[Observed, ...]:
    """Every check of these products that has evidence at `now`.

    `judged` are objectives that were judged just now, which the ledger does not know yet. `checks` are what is watched of each product.
    """
    checks = checks or {product.name: watched(product) for product in products}
    observed: dict[tuple[str, str], Observed] = {}
    for product in (product for product in products if product.runs):
        known = evidence[product.name]
        remembered = [(check.check, check.reading) for check in known.checks if check.reading]
        stood = standings.get(product.name, ())
        for observation in _product(state, product, checks[product.name], remembered, stood, known.ended, now):
            observed[observation.product, observation.check] = observation
    observed.update(
        {
            (observation.product, observation.check): observation
            for product in products
            if product.runs
            for observation in _ends(connection, product, evidence[product.name].running, now)
        }
    )
    if judged:
        observed.update({(observation.product, observation.check): observation for observation in _just_now(products, judged, now)})
    return tuple(observed.values())


def _just_now(products: Iterable[ProductPlan], judged: Sequence[Judged], now: datetime) -> Iterator[Observed]:
    owners = {objective.check: product.name for product in products for objective in product.objectives}
    checks = {(check.key, check.name): check for product in products for check in watched(product)}
    for objective, judgement in judged:
        check = objective.check
        state = check_state(
            checks[check.key, check.name], Said(**shared(Said, judgement, judgement.promise), at=now, weighs=judgement.severity)
        )
        yield Observed(owners[check], check_text(check.key, check.name), state, now)


def _product(
    state: Path,
    product: ProductPlan,
    checks: Sequence[WatchedCheck],
    remembered: Sequence[tuple[Check, CheckReading]],
    standings: Iterable[Standing],
    ended: Run | None,
    now: datetime,
) -> Iterator[Observed]:
    try:
        latest = shelf(state, product.domain, product.name).latest()
        published = published_state(latest) if latest is not None else None
    except VersionsUnreadable as error:
        said, published = Said("missed", str(error), now), None
    else:
        said = Said("met", "", now)
    readable = unplanned(product.name, VERSIONS_CHECK, "Its published versions can be read", said, severity="error")
    yield Observed(product.name, VERSIONS_CHECK, readable, now)
    yield from _checks(product, checks, published, {check.id: reading for check, reading in remembered}, now)
    yield from _imported(product, remembered)
    yield from (_burning(product, standing, now) for standing in standings)
    if ended is not None:
        yield from _refreshed(product, ended)


def _checks(
    product: ProductPlan,
    checks: Sequence[WatchedCheck],
    published: PublishedState | None,
    readings: Mapping[int, CheckReading],
    now: datetime,
) -> Iterator[Observed]:
    by_check = {(check.key, check.name): readings.get(check_id(check.key, check.name)) for check in checks}
    executions = {name: Said(**shared(Said, reading), weighs=reading.severity) for name, reading in by_check.items() if reading is not None}
    for check, said in zip(checks, check_states(checks, published, executions, Clock(product.zone, now)), strict=True):
        at = _evidence(check, said.at, said.verdict, published)
        if at is not None:
            reading = by_check[(check.key, check.name)] if check.max_age is None else None
            yield Observed(product.name, check_text(check.key, check.name), said, min(at, now), reading)


def _evidence(check: WatchedCheck, at: datetime | None, verdict: Verdict, published: PublishedState | None) -> datetime | None:
    """Since when what it says holds. Freshness is missed from the moment that the age passed what is promised; a new version renews it."""
    if check.max_age is None or published is None:
        return at
    if verdict != "missed":
        return published.published_at
    known_until = published.known_until.get(check.data_set) or published.published_at
    return max(published.published_at, kept_until(check.max_age, known_until))


def _imported(product: ProductPlan, remembered: Iterable[tuple[Check, CheckReading]]) -> Iterator[Observed]:
    """Tests that run elsewhere and are not in the plan; whether one that fails only informs is said where it runs."""
    for check, reading in remembered:
        if check.kind == "imported":
            text = check_text(tuple(check.asset_key.split("/")), check.name)
            said = Said(**shared(Said, reading))
            state = unplanned(product.name, text, check.title, said, "imported", reading.severity, check.dimension)
            yield Observed(product.name, text, state, reading.at, reading, imported=True)


def _burning(product: ProductPlan, standing: Standing, now: datetime) -> Observed:
    """An indicator is trouble while its budget burns too fast. One that is spent says nothing of now, and is told by itself."""
    check = standing.indicator.check
    rates = [alert.long_rate or 0.0 for alert in standing.burn_alerts if alert.fires]
    known = standing.attainment.state in ("met", "missed", "no target")
    verdict: Verdict = "missed" if rates else "met" if known else "unknown"
    reason = f"the error budget burns {max(rates):.3g} times too fast" if rates else ""
    text, said = check_text(check.key, check.name), Said(verdict, reason, now)
    return Observed(
        product.name, text, unplanned(product.name, text, check.title, said, "indicator", dimension=standing.indicator.dimension), now
    )


def _refreshed(product: ProductPlan, run: Run) -> Iterator[Observed]:
    """How the last refresh ended. One stopped by a gate has the gate's own check to tell of it; one that was canceled tells nothing."""
    if run.ended_at is None or run.status not in ("succeeded", "failed") or run.closed_gate:
        return
    verdict: Verdict = "met" if run.status == "succeeded" else "missed"
    said = Said(verdict, run.reason, run.ended_at)
    state = unplanned(product.name, REFRESH_CHECK, "Its refresh succeeds", said, severity="error")
    yield Observed(product.name, REFRESH_CHECK, state, run.ended_at, failures=tuple(run.failures.splitlines()))


def _ends(connection: Connection, product: ProductPlan, run: Run | None, now: datetime) -> Iterator[Observed]:
    """Whether the refresh that goes on can be expected to end. One that is not too long yet says nothing: the one before may hang."""
    said = Said("met", "", now)
    if run is not None:
        long = run.started_at is not None and now - run.started_at > AT_LEAST
        usual = refreshes(connection, product.name, now, USUAL_OF).seconds if long else ()
        reason = overdue(run.started_at, Clock(product.zone, now), usual) if long and run.started_at is not None else ""
        if not reason:
            return
        said = Said("missed", reason, now)
    yield Observed(product.name, ENDS_CHECK, unplanned(product.name, ENDS_CHECK, "Its refresh ends", said), now)
