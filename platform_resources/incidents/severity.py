"""The severity of an incident, from the products and consumers that depend on it and the remaining error budget."""

from collections.abc import Sequence
from typing import Literal

from platform_resources.spec.notifications import Severity

Criticality = Literal["low", "medium", "high"]
_POINTS: dict[Criticality, int] = {"low": 0, "medium": 1, "high": 2}
_SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
MANY = 5


def severity(
    own: Criticality, below: Sequence[Criticality] = (), consumers: int = 0, budget_consumed: float | None = None, informs: bool = False
) -> Severity:
    """Low, medium or high as the most critical of the product and all products `below` it.

    One step up if `MANY` or more products and consumers (dashboards, models) depend on it, one if the error budget is spent
    (`budget_consumed` at least 1.0; None if no target is set); one step down if only promises that inform are missed (`informs`). The rule
    is the platform's own; it never falls when anything gets worse.
    """
    points = max(_POINTS[criticality] for criticality in (own, *below))
    points += len(below) + consumers >= MANY
    points += budget_consumed is not None and budget_consumed >= 1
    points -= informs
    return _SEVERITIES[max(0, min(points, len(_SEVERITIES) - 1))]


def rank(severity: Severity) -> int:
    """The severity as a number from 0 (low) to 3 (critical), for comparison and sorting."""
    return _SEVERITIES.index(severity)
