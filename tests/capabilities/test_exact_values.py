"""The value of a judgement is as exact as it was measured, in the unit of its promise; only its text rounds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from platform_resources.capabilities.judgements import Judgement, Moment, Refreshes
from platform_resources.capabilities.measures import Reading
from platform_resources.capabilities.registry import installed_registry
from platform_resources.promises.judgement import judged
from tests.capabilities.judging import NOW, Warehouse, subject

THIRDS = (
    "select range as id, case when range < 2 then 0 else 1 end as x, range % 3 = 0 as good, 'ab'[range % 2 + 1] as kind from range(300)"
)
COLUMNS = subject(id="bigint", x="integer", good="boolean", kind="varchar")
MOMENT = Moment(NOW, refreshes=Refreshes((1.23456,)), publications=(NOW - timedelta(seconds=90, microseconds=123456),))


@pytest.mark.parametrize(
    ("dimension", "written", "value", "shown"),
    [
        ("custom-sql", {"failing_rows": "x = 0", "at_most_percent": 1}, 100 * 2 / 300, "0.7 %"),
        ("custom-sql", {"failing_rows": "x = 0", "at_most": 2}, 2, ""),
        ("custom-sql", {"scalar": "avg(x)", "min": 0}, 298 / 300, ""),
        ("distribution", {"column": "id", "outside_usual": {"deviations": 1.7}, "at_most": 5}, 100 * 6 / 300, "2 %"),
        (
            "drift",
            {"column": "kind", "reference": {"categories": {"a": 33, "b": 67}}, "method": "total-variation", "at_most": 0.5},
            0.17,
            "0.170",
        ),
        ("bias", {"group": "kind", "condition": "id % 7 = 0"}, (21 / 150) / (22 / 150), "0.955"),
        (
            "bias",
            {"group": "kind", "condition": "id % 7 = 0", "ratio_at_least": 0, "difference_at_most": 0.5},
            22 / 150 - 21 / 150,
            "0.00667",
        ),
    ],
    ids=str,
)
def test_what_is_measured_of_rows_is_kept_exactly(dimension, written, value, shown):
    warehouse = Warehouse()
    warehouse.here(THIRDS)
    found = warehouse.judged(dimension, written, COLUMNS)
    assert found.value == pytest.approx(value, rel=1e-12)
    assert found.shown == shown


def told(dimension: str, written: dict, **readings) -> Judgement:
    capability = installed_registry().dimensions()[dimension]
    given = {name: Reading(value) for name, value in readings.items()}
    return judged(capability, capability.config.model_validate(written), given, COLUMNS, replace(MOMENT))


def test_times_are_kept_to_the_microsecond():
    assert (told("duration", {"at_most": "1m"}).value, told("duration", {"at_most": "1m"}).shown) == (1.23456, "1.3 s")
    assert (told("cadence", {}).value, told("cadence", {}).shown) == (90.123456, "2 min")
    found = told("availability", {"within": "10s"}, port="here_sql", rows=3, seconds=0.123456789)
    assert (found.value, found.shown) == (0.123456789, "0.13 s")
    assert told("freshness", {}).value == 0.0
