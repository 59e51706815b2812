"""What the spec says about exclusions, as periods, and which slices they take out."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from platform_resources.promises.exclusions import exclusion, with_exclusions
from platform_resources.promises.periods import Period, cover
from platform_resources.spec.indicators import Exclusion, ServiceLevelIndicator
from tests.promises.moments import DAY, LONG_AGO, slices, states, utc

BERLIN = ZoneInfo("Europe/Berlin")
PERIODS = [
    ({"from": "2026-12-24", "to": "2026-12-26"}, "2026-12-23T23:00", "2026-12-26T23:00"),
    ({"from": "2026-10-25"}, "2026-10-24T22:00", "2026-10-25T23:00"),
    ({"from": "2026-12-24T18:00", "to": "2026-12-25T06:00"}, "2026-12-24T17:00", "2026-12-25T05:00"),
    ({"from": "2026-12-24T18:00Z", "to": "2026-12-24"}, "2026-12-24T18:00", "2026-12-24T23:00"),
    ({"from": "2026-12-24T18:00"}, "2026-12-24T17:00", "2026-12-24T23:00"),
]


@pytest.mark.parametrize(("written", "start", "end"), PERIODS)
def test_dates_are_whole_local_days_and_times_are_local_unless_they_name_a_zone(written, start, end):
    said = Exclusion.model_validate({**written, "reason": "Christmas", "owner": "team:sales"})
    assert exclusion(said, BERLIN).period == Period(utc(start), utc(end))


def test_only_slices_covered_from_start_to_end_are_excluded_good_or_bad():
    written = [{"from": "2020-01-02", "to": "2020-01-03T12:00"}, {"from": "2020-01-03T12:00", "to": "2020-01-04T01:00"}]
    said = [exclusion(Exclusion.model_validate({**one, "reason": "Move", "owner": "team:sales"}), ZoneInfo("UTC")) for one in written]
    assert states(with_exclusions(slices("gbgbp"), said)) == "geebp"
    assert states(with_exclusions(slices("gp"), said)) == "gp"


def test_a_union_of_periods_counts_no_time_twice_and_empty_ones_not_at_all():
    day = Period(LONG_AGO, LONG_AGO + DAY)
    found = cover([day, Period(LONG_AGO + DAY / 2, LONG_AGO + 2 * DAY), day, Period(day.end, day.start)])
    assert found.within(LONG_AGO - DAY, LONG_AGO + 9 * DAY) == 2 * DAY
    assert [found.reaches(LONG_AGO + at * DAY) for at in (0, 0.5, 2, 2.1)] == [False, True, True, False]


def test_a_period_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="has no time zone"):
        Period(datetime(2026, 1, 1), LONG_AGO)


def indicator(**written):
    return ServiceLevelIndicator.model_validate({"service_level_name": "Refreshed daily", **written})


@pytest.mark.parametrize("written", ["RatioTimeslices", "ratio timeslices", " Ratio_Timeslices "])
def test_a_method_may_be_written_as_openslo_writes_it(written):
    assert indicator(method=written, slice_target=90).method == "ratio-timeslices"


def test_a_missing_measurement_is_tolerated_for_one_interval_unless_the_spec_says_otherwise():
    written = [{}, {"grace": "6h"}, {"unmeasured": "unknown"}]
    assert [indicator(**fields).tolerance for fields in written] == [DAY, DAY / 4, None]
