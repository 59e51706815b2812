"""Evidence for trusting a product: indicators, incidents, coverage, response times, reads, and deadlines at risk."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from platform_resources.incidents.response_times import Response, Times
from platform_resources.ledger.people.acceptances import Acceptance
from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.ledger.queries.reads import Reads
from platform_resources.ledger.queries.standing import Standing
from platform_resources.promises.coverage import Coverage, ProductCoverage
from platform_resources.promises.forecast import MissedDeadline
from platform_resources.services.indicator_sentences import standing_data, standing_text, standing_verdict
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.durations import length_text

HOUR = timedelta(hours=1)
NO_READS = Reads({}, ())


@dataclass(frozen=True, slots=True)
class AcceptedWeakness:
    """A known fault and who accepted it."""

    title: str
    acceptance: Acceptance


@dataclass(frozen=True, slots=True)
class Trust:
    """The evidence for one product at a moment; `incidents` are open ones: its own, and others that affect it.

    `forecast` has the deadlines that this product makes others (or itself) miss if it stays late; `reads` counts those of the last 30
    days, as far as they can be seen. `accepted` is what fails, and somebody has said that it is no trouble.
    """

    at: datetime
    standings: tuple[Standing, ...]
    coverage: ProductCoverage
    response: Response
    incidents: tuple[StoredIncident, ...] = ()
    forecast: tuple[MissedDeadline, ...] = ()
    reads: Reads = NO_READS
    accepted: tuple[AcceptedWeakness, ...] = ()


def trust_numbers(trust: Trust) -> dict[str, float | int]:
    """The numbers that Dagster plots over time; unknown ones are left out, never 0."""
    numbers: dict[str, float | int | None] = {
        "indicators": len(trust.standings),
        "indicators_met": sum(standing_verdict(standing) == "met" for standing in trust.standings),
        **_coverage_numbers(trust.coverage),
        "open_incidents": len(trust.incidents),
        "accepted_weaknesses": len(trust.accepted),
        "deadlines_at_risk": len(trust.forecast),
        **_response_numbers(trust.response),
        "reads_in_30_days": trust.reads.count,
        "readers_in_30_days": len(trust.reads.readers),
        **_standing_numbers(trust.standings),
    }
    return {name: value for name, value in numbers.items() if value is not None}


def _coverage_numbers(covered: ProductCoverage) -> dict[str, float | int | None]:
    return {
        "tests_and_monitors": covered.tests_and_monitors,
        "coverage_percent": _percent(covered.own),
        "lineage_coverage_percent": _percent(covered.lineage),
    }


def _response_numbers(response: Response) -> dict[str, float | int | None]:
    medians: dict[str, float | int | None] = {f"median_hours_to_{name}": _hours(times.median) for name, times in _response_times(response)}
    return medians | {"acknowledged_percent": None if response.acknowledged is None else round(100 * response.acknowledged, 1)}


def _standing_numbers(standings: Iterable[Standing]) -> dict[str, float | int | None]:
    """Of each indicator its percentage and what is left of its budget."""
    numbers: dict[str, float | int | None] = {}
    for standing in standings:
        reached, name = standing.attainment, standing.indicator.check.name
        numbers[f"attainment_percent_{name}"] = reached.percent
        numbers[f"budget_left_{name}"] = None if reached.budget is None else reached.budget.left
    return numbers


def trust_data(trust: Trust) -> dict[str, Any]:
    """The evidence as JSON data."""
    return {
        "indicators": [indicator_data(standing) for standing in trust.standings],
        "incidents": [{**asdict(i.incident), "name": i.incident.name, "severity": i.severity, "title": i.title} for i in trust.incidents],
        "accepted": [{"title": weakness.title, **asdict(weakness.acceptance)} for weakness in trust.accepted],
        "deadlines_at_risk": [asdict(impact) for impact in trust.forecast],
        "tests_and_monitors": trust.coverage.tests_and_monitors,
        "coverage": {"own": asdict(trust.coverage.own), "lineage": asdict(trust.coverage.lineage), "blind": trust.coverage.blind},
        "response": response_data(trust.response),
        "reads": asdict(trust.reads),
        "numbers": trust_numbers(trust),
    }


def indicator_data(standing: Standing) -> dict[str, Any]:
    """A promise over a window, with its name."""
    check = standing.indicator.check
    return {"name": check.name, "title": check.title, **standing_data(standing)}


def response_data(response: Response) -> dict[str, Any]:
    """How fast incidents were found, answered and fixed, in hours."""
    return {name: _times_data(times) for name, times in _response_times(response)}


TableOf = tuple[str, tuple[str, ...], Sequence[Sequence[Any]]]
Moment = Callable[[datetime | None], str]


def tables(trust: Trust, clock: Clock) -> tuple[TableOf, ...]:
    """The evidence as tables for people: title, header and rows of each table that is not empty. Times use the clock."""

    def moment(at: datetime | None) -> str:
        return "-" if at is None else clock.moment(at)

    filled: tuple[TableOf, ...] = (
        (
            "indicators",
            ("indicator", "state", "how it stands", "burn", "next deadline"),
            list(_indicator_rows(trust.standings, clock, moment)),
        ),
        ("incidents", ("incident", "severity", "status", "since", "what"), list(_incident_rows(trust.incidents, moment))),
        (
            "accepted weaknesses",
            ("what is broken", "accepted by", "on", "as", "until", "note"),
            list(_accepted_rows(trust.accepted, moment)),
        ),
        (
            "deadlines at risk",
            ("product", "deadline", "input needed by", "through", "consumers"),
            list(_impact_rows(trust.forecast, moment)),
        ),
        ("response", *response_table(trust.response)),
        ("reads in 30 days", ("port or data set", "reads", "readers"), list(_read_rows(trust.reads))),
        ("reads of columns in 30 days", ("column", "reads noted by the warehouse"), list(trust.reads.columns.items())),
    )
    return tuple(table for table in filled if table[2])


def coverage_text(trust: Trust) -> str:
    """`25 tests and monitors; coverage 83.3 % (5 of 6 data sets and inputs), with everything upstream 60 % (12 of 20)`."""
    covered = trust.coverage
    blind = f"; nothing is watched of: {', '.join(covered.blind)}" if covered.blind else ""
    shares = f"coverage {_share_text(covered.own, ' data sets and inputs')}, with everything upstream {_share_text(covered.lineage)}"
    return f"{covered.tests_and_monitors} tests and monitors; {shares}{blind}"


def _share_text(coverage: Coverage, things: str = "") -> str:
    percent = _percent(coverage)
    share = "is not known" if percent is None else f"{percent:g} %"
    return f"{share} ({coverage.watched} of {coverage.total}{things})"


def _indicator_rows(standings: Iterable[Standing], clock: Clock, moment: Moment) -> Iterator[Sequence[str]]:
    for standing in standings:
        known = standing_data(standing)
        burn = known.get("burn_alerts") or (f"{known['burn_rate']:.3g}" if "burn_rate" in known else "-")
        yield (
            standing.indicator.check.title,
            standing.attainment.state,
            standing_text(standing, clock),
            burn,
            moment(standing.next_deadline),
        )


def _incident_rows(stored: Iterable[StoredIncident], moment: Moment) -> Iterator[Sequence[str]]:
    for incident in stored:
        yield incident.incident.name, incident.severity, incident.incident.status, moment(incident.incident.began_at), incident.title


def _accepted_rows(accepted: Iterable[AcceptedWeakness], moment: Moment) -> Iterator[Sequence[str]]:
    for weakness in accepted:
        acceptance = weakness.acceptance
        yield (
            weakness.title,
            acceptance.by,
            moment(acceptance.at),
            f"{acceptance.resolution} ({acceptance.incident})",
            "it was well in between",
            acceptance.note or "-",
        )


def _impact_rows(forecast: Iterable[MissedDeadline], moment: Moment) -> Iterator[Sequence[str]]:
    for impact in forecast:
        needed = "too late already" if impact.certain else moment(impact.needed_by)
        yield impact.product, moment(impact.deadline), needed, " > ".join(impact.via), ", ".join(impact.consumers) or "-"


def _read_rows(reads: Reads) -> Iterator[Sequence[Any]]:
    for port, of_port in sorted(reads.by_port.items()):
        yield port or "(not told)", of_port.count, ", ".join(of_port.readers)


def _response_times(response: Response) -> tuple[tuple[str, Times], ...]:
    return ("detect", response.detect), ("respond", response.respond), ("fix", response.fix)


def response_table(response: Response) -> tuple[tuple[str, ...], list[Sequence[Any]]]:
    """Header and rows of how fast incidents are detected, answered and fixed; no rows without incidents."""
    rows: list[Sequence[Any]] = [
        (name, span_text(times.median), span_text(times.p90), times.count, times.censored)
        for name, times in _response_times(response)
        if times.count
    ]
    return ("time to", "median", "90 %", "incidents", "not ended"), rows


def span_text(span: timedelta | None) -> str:
    """`2 days 3 h`, `4 h 10 min`, `3 min`; `not known yet` where too few have ended."""
    return "not known yet" if span is None else length_text(span)


def _times_data(times: Times) -> dict[str, Any]:
    """Response times as JSON data."""
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
