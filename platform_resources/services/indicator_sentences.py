"""Describe the state of an indicator in a sentence, and as JSON data."""

import math
from typing import Any

from platform_resources.capabilities.judgements import Verdict
from platform_resources.ledger.queries.standing import Standing
from platform_resources.promises.attainment import Attainment
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.durations import duration_text


def standing_text(standing: Standing, clock: Clock) -> str:
    """The state in a sentence: `95 % of 20 intervals were good, 80 % promised; 3 of 4 bad ones are left`."""
    reached = standing.attainment
    if reached.percent is None:
        needed = _slices_text(standing, max(1, reached.unknown))
        return f"no data yet: needs {needed}{_unmeasured_text(reached)}{_first_end_text(reached, clock)}"
    promised = f", {reached.target:g} % promised" if reached.target is not None else ""
    known = f"; {reached.known} of {reached.total} intervals were measured" if reached.known < reached.total else ""
    provisional = f"; {reached.provisional} of the bad ones may still change" if reached.provisional else ""
    return f"{_too_little_text(standing)}{_good_text(standing)}{promised}{known}{provisional}{_left_text(standing)}"


def _slices_text(standing: Standing, count: int, more: str = "") -> str:
    """`3 more slices of 24h`."""
    return f"{count}{more} slice{'' if count == 1 else 's'} of {duration_text(standing.indicator.spec.interval)}"


def _unmeasured_text(reached: Attainment) -> str:
    return f"; {reached.unknown} ended without a measurement" if reached.unknown else ""


def _first_end_text(reached: Attainment, clock: Clock) -> str:
    return "" if reached.next_deadline is None else f"; the one that runs now ends {clock.moment(reached.next_deadline)}"


def _too_little_text(standing: Standing) -> str:
    """How many more slices there must be before it is judged; empty if it is."""
    reached = standing.attainment
    if reached.state != "insufficient data":
        return ""
    return f"too little data: needs {_slices_text(standing, max(1, reached.total - 2 * reached.known), ' more')}; so far "


def _good_text(standing: Standing) -> str:
    """Never rounded up to a promise that was not kept."""
    reached = standing.attainment
    percent = f"{math.floor((reached.percent or 0.0) * 1000) / 1000:g} %"
    intervals = "1 interval" if reached.known == 1 else f"{reached.known} intervals"
    if standing.indicator.spec.method != "timeslices":
        return f"{percent} were good over {intervals}"
    return f"{percent} of {intervals} {'was' if reached.known == 1 else 'were'} good"


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
    """The state as JSON data, also for Dagster's metadata; unknown values are left out."""
    values: dict[str, Any] = {
        "verdict": standing_verdict(standing),
        "state": standing.attainment.state,
        "objective": standing.indicator.objective.title,
        **_attainment_data(standing.attainment),
        **_alert_data(standing),
        "next_deadline": standing.next_deadline.isoformat() if standing.next_deadline is not None else None,
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


def _attainment_data(reached: Attainment) -> dict[str, Any]:
    return {
        "attainment_percent": reached.percent,
        "target_percent": reached.target,
        "good": reached.good,
        "bad": reached.bad,
        "unknown": reached.unknown,
        "excluded": reached.excluded,
        "provisional": reached.provisional or None,
        "known_of_total": f"{reached.known} of {reached.total}",
        "budget_left": reached.budget.left if reached.budget is not None else None,
    }


def _alert_data(standing: Standing) -> dict[str, Any]:
    burning = [alert for alert in standing.burn_alerts if alert.fires]
    return {
        "budget_alerts": ", ".join(f"{level} %" for level in standing.budget_alerts),
        "burn_rate": max((alert.long_rate for alert in standing.burn_alerts if alert.long_rate is not None), default=None),
        "burn_alerts": ", ".join(f"burning {alert.long_rate:.3g} times too fast" for alert in burning),
    }


def standing_verdict(standing: Standing) -> Verdict:
    """The verdict of an indicator: unknown without data or with too little."""
    match standing.attainment.state:
        case "met" | "missed" as known:
            return known
        case _:
            return "unknown"
