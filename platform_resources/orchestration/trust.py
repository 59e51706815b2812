"""What tells whether a product can be trusted: its indicators, incidents, coverage, response, reads, and the deadlines at risk."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from platform_resources.ledger.incident_store import StoredIncident
from platform_resources.ledger.reads import Reads
from platform_resources.ledger.standing import Standing
from platform_resources.objectives.coverage import Coverage, ProductCoverage
from platform_resources.objectives.forecast import Impact
from platform_resources.objectives.response import Response, Times
from platform_resources.orchestration.results import markdown_table

HOUR = timedelta(hours=1)
NO_READS = Reads({}, ())
MINUTE = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class Trust:
    """One product at a moment. `incidents` are those that live: its own, and those of others that it suffers from.

    `forecast` has the deadlines that this product makes others (or itself) miss if it stays late; `reads` counts those of the last 30
    days, as far as they can be seen.
    """

    at: datetime
    standings: tuple[Standing, ...]
    coverage: ProductCoverage
    response: Response
    incidents: tuple[StoredIncident, ...] = ()
    forecast: tuple[Impact, ...] = ()
    reads: Reads = NO_READS


def standing_text(standing: Standing) -> str:
    """The indicator in a sentence: `95 % of 20 intervals were good, 80 % promised; 3 of 4 bad ones are left`."""
    reached = standing.attainment
    if reached.percent is None:
        return "no interval can be judged yet"
    promised = f", {reached.target:g} % promised" if reached.target is not None else ""
    known = f"; {reached.known} of {reached.total} intervals were measured" if reached.known < reached.total else ""
    provisional = f"; {reached.provisional} of the bad ones may still change" if reached.provisional else ""
    return f"{_good_text(standing)}{promised}{known}{provisional}{_left_text(standing)}"


def _good_text(standing: Standing) -> str:
    """Never rounded up to a promise that was not kept."""
    reached = standing.attainment
    percent, intervals = f"{math.floor((reached.percent or 0.0) * 1000) / 1000:g} %", f"{reached.known} intervals"
    whole = standing.indicator.spec.method == "timeslices"
    return f"{percent} of {intervals} were good" if whole else f"{percent} were good over {intervals}"


def _left_text(standing: Standing) -> str:
    """Budgets of events and of time are shares: nobody counts in microseconds."""
    budget = standing.attainment.budget
    if budget is None:
        return ""
    if standing.indicator.spec.method == "timeslices":
        return f"; {budget.left:.3g} of {budget.total:.3g} bad ones are left"
    left = max(0.0, 1 - budget.consumed)
    return f"; {left * 100:.0f} % of the error budget is left"


def standing_data(standing: Standing) -> dict[str, Any]:
    """The indicator as plain values, for Dagster's metadata and for JSON; what is not known is left out."""
    reached = standing.attainment
    found: dict[str, Any] = {
        "verdict": standing_verdict(standing),
        "state": reached.state,
        "objective": standing.indicator.objective.title,
        "attainment_percent": reached.percent,
        "target_percent": reached.target,
        "good": reached.good,
        "bad": reached.bad,
        "unknown": reached.unknown,
        "excluded": reached.excluded,
        "provisional": reached.provisional or None,
        "known_of_total": f"{reached.known} of {reached.total}",
        "budget_left": reached.budget.left if reached.budget is not None else None,
        "budget_alerts": ", ".join(f"{level} %" for level in standing.budget_alerts),
        "burn_rate": max((alert.long_rate for alert in standing.burn_alerts if alert.long_rate is not None), default=None),
        "burn_alerts": ", ".join(f"burning {alert.long_rate:.3g} times too fast" for alert in standing.burn_alerts if alert.fires),
        "next_deadline": standing.next_deadline.isoformat() if standing.next_deadline is not None else None,
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


def standing_verdict(standing: Standing) -> str:
    """Without data, or with too little, an indicator is unknown, so not met."""
    return {"met": "met", "missed": "missed"}.get(standing.attainment.state, "unknown")


def trust_numbers(trust: Trust) -> dict[str, float | int]:
    """The numbers that Dagster plots over time; one that cannot be told now is left out, never 0."""
    found: dict[str, float | int | None] = {
        "indicators": len(trust.standings),
        "indicators_met": sum(standing_verdict(standing) == "met" for standing in trust.standings),
        "coverage_percent": _percent(trust.coverage.own),
        "lineage_coverage_percent": _percent(trust.coverage.lineage),
        "tests": trust.coverage.tests,
        "monitors": trust.coverage.monitors,
        "open_incidents": len(trust.incidents),
        "deadlines_at_risk": len(trust.forecast),
        "median_hours_to_detect": _hours(trust.response.detect.median),
        "median_hours_to_respond": _hours(trust.response.respond.median),
        "median_hours_to_fix": _hours(trust.response.fix.median),
        "acknowledged_percent": None if trust.response.acknowledged is None else round(100 * trust.response.acknowledged, 1),
        "reads_in_30_days": trust.reads.count,
        "readers_in_30_days": len(trust.reads.readers),
    }
    for standing in trust.standings:
        reached, name = standing.attainment, standing.indicator.check.name
        found[f"attainment_percent_{name}"] = reached.percent
        found[f"budget_left_{name}"] = None if reached.budget is None else reached.budget.left
    return {name: value for name, value in found.items() if value is not None}


def trust_data(trust: Trust) -> dict[str, Any]:
    """The same as plain values, for JSON."""
    named = [(standing.indicator.check, standing_data(standing)) for standing in trust.standings]
    return {
        "indicators": [{"name": check.name, "title": check.title, **told} for check, told in named],
        "incidents": [{**asdict(i.incident), "name": i.incident.name, "severity": i.severity, "title": i.title} for i in trust.incidents],
        "deadlines_at_risk": [asdict(impact) for impact in trust.forecast],
        "coverage": asdict(trust.coverage),
        "response": {name: times_data(times) for name, times in _response_times(trust.response)},
        "reads": asdict(trust.reads),
        "numbers": trust_numbers(trust),
    }


TableOf = tuple[str, tuple[str, ...], Sequence[Sequence[Any]]]


def tables(trust: Trust) -> tuple[TableOf, ...]:
    """For people: title, header and rows of each table that is not empty."""
    found: tuple[TableOf, ...] = (
        ("indicators", ("indicator", "state", "how it stands", "burn", "next deadline (UTC)"), list(_indicator_rows(trust.standings))),
        ("incidents", ("incident", "severity", "status", "since (UTC)", "what"), list(_incident_rows(trust.incidents))),
        (
            "deadlines at risk",
            ("product", "deadline (UTC)", "input needed by (UTC)", "through", "consumers"),
            list(_impact_rows(trust.forecast)),
        ),
        ("response", *response_table(trust.response)),
        ("reads in 30 days", ("port or data set", "reads", "readers"), list(_read_rows(trust.reads))),
    )
    return tuple(table for table in found if table[2])


def trust_tables(trust: Trust) -> dict[str, Any]:
    """The tables as Markdown for Dagster."""
    found: dict[str, Any] = {
        f"{title.replace(' ', '_')}_table": dg.MetadataValue.md(markdown_table(header, rows)) for title, header, rows in tables(trust)
    }
    return found | {"coverage": coverage_text(trust)}


def coverage_text(trust: Trust) -> str:
    """`11 tests and 14 monitors; 5 of 6 tables and inputs are watched, 12 of 20 with everything upstream; nothing is watched of: x`."""
    covered = trust.coverage
    own, lineage = covered.own, covered.lineage
    watched = f"{own.watched} of {own.total} tables and inputs are watched, {lineage.watched} of {lineage.total} with everything upstream"
    blind = f"; nothing is watched of: {', '.join(covered.blind)}" if covered.blind else ""
    return f"{covered.tests} tests and {covered.monitors} monitors; {watched}{blind}"


def _indicator_rows(standings: Iterable[Standing]) -> Iterator[Sequence[str]]:
    for standing in standings:
        told = standing_data(standing)
        burn = told.get("burn_alerts") or (f"{told['burn_rate']:.3g}" if "burn_rate" in told else "-")
        yield standing.indicator.check.title, standing.attainment.state, standing_text(standing), burn, _moment(standing.next_deadline)


def _incident_rows(stored: Iterable[StoredIncident]) -> Iterator[Sequence[str]]:
    for each in stored:
        yield each.incident.name, each.severity, each.incident.status, _moment(each.incident.began_at), each.title


def _impact_rows(forecast: Iterable[Impact]) -> Iterator[Sequence[str]]:
    for impact in forecast:
        needed = "too late already" if impact.certain else _moment(impact.needed_by)
        yield impact.product, _moment(impact.deadline), needed, " > ".join(impact.via), ", ".join(impact.consumers) or "-"


def _read_rows(reads: Reads) -> Iterator[Sequence[Any]]:
    for port, found in sorted(reads.by_port.items()):
        yield port or "(not told)", found.count, ", ".join(found.readers)


def _response_times(response: Response) -> tuple[tuple[str, Times], ...]:
    return ("detect", response.detect), ("respond", response.respond), ("fix", response.fix)


def response_table(response: Response) -> tuple[tuple[str, ...], list[Sequence[Any]]]:
    """Header and rows: how fast incidents are detected, answered and fixed; no rows without incidents."""
    rows: list[Sequence[Any]] = [
        (name, span_text(times.median), span_text(times.p90), times.count, times.censored)
        for name, times in _response_times(response)
        if times.count
    ]
    return ("time to", "median", "90 %", "incidents", "not ended"), rows


def span_text(span: timedelta | None) -> str:
    """`2 d 3 h`, `4 h 10 min`, `3 min`; `not known yet` where too few have ended."""
    if span is None:
        return "not known yet"
    minutes = round(span / timedelta(minutes=1))
    days, rest = divmod(minutes, 1440)
    hours, left = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    return f"{hours} h {left} min" if hours and left else f"{hours} h" if hours else f"{left} min"


def times_data(times: Times) -> dict[str, Any]:
    return {
        "median_hours": _hours(times.median),
        "p90_hours": _hours(times.p90),
        "incidents": times.count,
        "not_ended": times.censored,
    }


def _percent(coverage: Coverage) -> float | None:
    return None if coverage.share is None else round(100 * coverage.share, 1)


def _hours(span: timedelta | None) -> float | None:
    return None if span is None else round(span / HOUR, 3)


def _moment(at: datetime | None) -> str:
    return "-" if at is None else f"{at:{MINUTE}}"
