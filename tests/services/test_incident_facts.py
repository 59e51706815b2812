"""Which fault of a product follows from another one of it, so that nobody is told of both."""

from dataclasses import replace
from datetime import timedelta

import pytest

from platform_resources.incidents.life_cycle import IncidentEvent
from platform_resources.notify.facts import Failure
from platform_resources.services.incident_facts import _new_faults
from tests.notify.troubles import FIVE, HOUR

FAULTS = {
    "late": Failure("inputs/a:arrived", "Input a arrived", FIVE),
    "stale input": Failure("inputs/a:fresh", "Input a is fresh", FIVE),
    "other input": Failure("inputs/b:arrived", "Input b arrived", FIVE),
    "refresh": Failure("refresh", "Refresh", FIVE),
    "gate": Failure("orders:never_deleted", "Rows stay", FIVE, "volume", gate=True),
    "stale": Failure("orders:daily", "Refreshed daily", FIVE, "freshness"),
    "slow": Failure("orders:daily_enough", "Cadence", FIVE, "cadence"),
    "often stale": Failure("scorecard:most_days", "Most days", FIVE, "freshness"),
    "gaps": Failure("orders:filled", "Filled", FIVE, "completeness"),
    "few": Failure("orders:enough", "Enough rows", FIVE, "volume"),
    "test": Failure("orders:unique", "Unique", FIVE),
}


@pytest.mark.parametrize(
    ("before", "then", "told"),
    [
        (["late"], ["stale input", "stale", "slow", "often stale"], []),
        (["late"], ["other input", "gaps", "few", "test"], ["other input", "gaps", "few", "test"]),
        (["refresh"], ["stale"], []),
        (["gate"], ["stale", "gaps"], ["gaps"]),
        (["gaps"], ["few", "late", "stale"], ["few", "late"]),
        (["gaps"], ["stale", "slow"], ["stale"]),
        (["stale"], ["refresh", "gate"], ["refresh", "gate"]),
        (["gaps", "few"], ["test"], ["test"]),
    ],
)
@pytest.mark.parametrize("apart", [timedelta(0), HOUR], ids=["at one moment", "later"])
def test_what_joins_an_incident_is_news_unless_it_follows(before, then, told, apart):
    late = [replace(FAULTS[name], since=FIVE + HOUR + index * apart) for index, name in enumerate(then)]
    noticed = [IncidentEvent("orders#1", "noticed", failure.since, note=failure.check) for failure in late]
    found = _new_faults([*(FAULTS[name] for name in before), *late], noticed, FIVE)
    assert sorted(new.failure.check for new in found) == sorted(FAULTS[name].check for name in told)
