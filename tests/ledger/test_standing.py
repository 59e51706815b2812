"""How indicators stand, with the clock in the test's hands: a mesh's plan, a log of events, and `now`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.events import Checked, Event, Materialised
from platform_resources.ledger.queries.standing import standings
from platform_resources.ledger.syncing import sync
from tests.ledger.event_logs import MemoryLog
from tests.meshes import component, edited, product_file, tiny_mesh

SPEC = product_file("plant", "readings")
FIRST = datetime(2026, 3, 2, 5, tzinfo=UTC)
DAY = timedelta(days=1)
FILLED = component(
    "Temperatures on most days",
    "service-level-indicator",
    "service_level_name: Most readings have a temperature\ninterval: 1d\nwindow: 10d\ntarget: 50",
)
MENDABLE = component(
    "Temperatures once all is there",
    "service-level-indicator",
    "service_level_name: Most readings have a temperature\ninterval: 1d\nwindow: 10d\ntarget: 50\nfinal_after: 1d",
)


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    """The product readings, with an indicator of its freshness and one of a quality objective."""
    root = tiny_mesh(tmp_path_factory.mktemp("standing"))
    text = f"{FILLED}\n{MENDABLE}".replace("\n", "\n    ")
    edited(root, SPEC, "    - name: Company use", f"    {text}\n    - name: Company use")
    plan, problems = read_plan(root)
    assert problems == ()
    return plan.product("readings")


def version(at: datetime, port: str = "measurements_sql", watermark: datetime | None = None) -> Event:
    told = {"version": f"{at:%Y%m%dT%H%M%S}", "product_version": "1.1.0", "watermark": (watermark or at).isoformat()}
    return Event(0, at, "run", Materialised(("readings", "outputs", port), told))


def verdict(at: datetime, said: str, name: str = "most_readings_have_a_temperature") -> Event:
    metadata = {"verdict": said, "kind": "objective"}
    return Event(0, at, f"run {at}", Checked(("readings", "measurements"), name, said == "met", metadata=metadata))


def pulled(at: datetime, degraded: str) -> Event:
    return Event(0, at, f"run {at}", Materialised(("readings", "inputs", "deliveries"), {"changed": True, "degraded": degraded}))


def stand(ledger, product, now: datetime, *events: Event):
    log = MemoryLog()
    log.add(*events)
    sync(ledger, log, now)
    with ledger.reading() as connection:
        return {standing.indicator.check.name: standing for standing in standings(connection, product, now)}


def test_without_a_publication_nothing_is_promised_yet(ledger, readings):
    fresh = stand(ledger, readings, FIRST)["refreshed_on_most_days"]
    assert (fresh.attainment.state, fresh.attainment.percent) == ("no data", None)


def test_a_product_published_each_morning_keeps_its_promise(ledger, readings):
    days = [version(FIRST + n * DAY) for n in range(10)]
    fresh = stand(ledger, readings, FIRST + 9 * DAY + timedelta(hours=3), *days)["refreshed_on_most_days"]
    assert fresh.attainment.state == "met"
    assert (fresh.attainment.percent, fresh.attainment.good, fresh.attainment.bad) == (100.0, 9, 0)


def test_two_ports_of_one_version_are_one_publication(ledger, readings):
    days = [version(FIRST + n * DAY, port) for n in range(5) for port in ("measurements_sql", "measurements_file")]
    fresh = stand(ledger, readings, FIRST + 4 * DAY + timedelta(hours=3), *days)["refreshed_on_most_days"]
    assert fresh.attainment.good == 4


def test_days_without_a_version_spend_the_budget_and_a_late_one_brings_none_back(ledger, readings):
    """At 26 hours, a version of 05:00 covers its own day; on three of ten days nothing is published."""
    kept = [version(FIRST + n * DAY) for n in range(12) if n not in (4, 5, 6)]
    now = FIRST + 11 * DAY + timedelta(hours=3)
    before = stand(ledger, readings, now, *kept)["refreshed_on_most_days"]
    assert (before.attainment.good, before.attainment.bad) == (8, 3)
    assert (before.attainment.state, before.budget_alerts) == ("missed", (50, 75, 100))
    late = version(FIRST + 10 * DAY + timedelta(hours=1), watermark=FIRST + 5 * DAY)
    after = stand(ledger, readings, now, late)["refreshed_on_most_days"]
    assert (after.attainment.good, after.attainment.bad) == (8, 3)


def test_a_quality_promise_is_judged_by_its_check_and_a_day_without_input_is_charged_to_freshness(ledger, readings):
    said = ["met", "missed", "met", "met"]
    events = [verdict(FIRST + n * DAY, word) for n, word in enumerate(said)]
    published = [version(FIRST + n * DAY) for n in range(4)]
    lost = [pulled(FIRST + 4 * DAY, "no file matches"), pulled(FIRST + 6 * DAY, "no")]
    now = FIRST + 6 * DAY + timedelta(hours=3)
    found = stand(ledger, readings, now, *published, *events, *lost)["temperatures_on_most_days"].attainment
    assert (found.good, found.bad, found.excluded) == (3, 1, 2)
    assert (found.state, found.percent) == ("met", 75.0)


def test_a_day_that_was_due_and_not_measured_is_unknown_and_then_bad(ledger, readings):
    published = [version(FIRST + n * DAY) for n in range(4)]
    events = [*published, verdict(FIRST, "met")]
    soon = stand(ledger, readings, FIRST + 2 * DAY, *events)["temperatures_on_most_days"].attainment
    assert (soon.good, soon.bad, soon.unknown) == (1, 0, 1)
    later = stand(ledger, readings, FIRST + 4 * DAY)["temperatures_on_most_days"].attainment
    assert later.bad > 0
    assert later.percent is not None
    assert later.percent < 100


def test_a_breach_that_is_mended_in_time_spends_no_budget_and_one_that_may_still_be_is_counted_out(ledger, readings):
    """Missed on the second day and mended on the third; missed again on the fourth, of which the fifth knows nothing yet."""
    said = ["met", "missed", "met", "missed"]
    published = [version(FIRST + n * DAY) for n in range(5)]
    events = [*published, *(verdict(FIRST + n * DAY, word) for n, word in enumerate(said))]
    now = FIRST + 4 * DAY
    found = stand(ledger, readings, now, *events)
    plain, mendable = (found[name].attainment for name in ("temperatures_on_most_days", "temperatures_once_all_is_there"))
    assert (plain.good, plain.bad, plain.provisional) == (2, 2, 0)
    assert (mendable.good, mendable.bad, mendable.provisional) == (3, 1, 1)
    late = stand(ledger, readings, FIRST + 6 * DAY, verdict(FIRST + 5 * DAY, "met"))["temperatures_once_all_is_there"].attainment
    assert (late.good, late.bad, late.provisional) == (5, 1, 0)


def test_data_that_may_be_older_than_two_windows_is_fresh_by_a_version_of_before_them(ledger, readings):
    """Published once, fifty-five days ago; sixty are promised, in a window of twenty."""
    patient = tuple(replace(each, max_age=60 * DAY) if each.max_age else each for each in readings.indicators)
    fresh = stand(ledger, replace(readings, indicators=patient), FIRST + 55 * DAY, version(FIRST))["refreshed_on_most_days"]
    assert fresh.indicator.spec.window == 20 * DAY
    assert (fresh.attainment.good, fresh.attainment.bad, fresh.attainment.unknown) == (20, 0, 0)
