"""`mesh backtest`: what learned thresholds would have said, of objectives that learn and of those that do not yet."""

import json
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from platform_resources.cli.terminal.console import CANNOT_RUN, FINE
from platform_resources.orchestration.instance import instance
from tests.meshes import component, edited, indented, product_file

FIRST = datetime(2026, 3, 2, 5, tzinfo=UTC)
DAY = timedelta(days=1)
MODEL, PORT = dg.AssetKey(["readings", "measurements"]), dg.AssetKey(["readings", "outputs", "measurements_sql"])
ROWS = [1000 + (number * 37) % 20 for number in range(40)]
ROWS[30] = 100


@pytest.fixture
def remembered(published):
    """Forty days of readings in Dagster's history; on one of them most rows were missing."""
    usual = component("As many readings as usual", "service-level-asset", "dimension: volume\ndata_set: measurements\nlearned: true")
    cadence = component("Published as often as usual", "service-level-asset", "dimension: cadence")
    rule = "dimension: custom-sql\ndata_set: measurements\nfailing_rows: degrees < 0"
    cold = component("Few readings are cold", "service-level-asset", rule)
    added = indented(f"{usual}\n{cadence}\n{cold}", 4).lstrip()
    edited(published.root, product_file("plant", "readings"), "    - name: Company use", f"    {added}\n    - name: Company use")
    with instance(published.root, published.root) as found:
        for number, rows in enumerate(ROWS):
            _remember(found, FIRST + number * DAY, rows)
    return published


def _remember(found, at, rows):
    for check, value in (
        ("as_many_readings_as_usual", rows),
        ("readings_are_never_deleted", rows),
        ("most_readings_have_a_temperature", 90.0),
        ("few_readings_are_cold", 3),
    ):
        told = {"verdict": "met", "value": value, "measured_at": at.isoformat(), "kind": "objective", "dimension": "volume"}
        found.report_runless_asset_event(dg.AssetCheckEvaluation(MODEL, check, True, told))
    metadata = {"version": f"v{at:%Y%m%d}", "published_at": at.isoformat()}
    found.report_runless_asset_event(dg.AssetMaterialization(PORT, metadata=metadata))


@pytest.mark.slow
def test_every_objective_with_numbers_is_tested_against_its_past(remembered):
    done = remembered.mesh("backtest", "--sync", "readings", "--json")
    assert done.exception.code == FINE, done.output
    found = {each["check"]: each for each in json.loads(done.stdout)}
    assert set(found) == {
        "as_many_readings_as_usual",
        "readings_are_never_deleted",
        "most_readings_have_a_temperature",
        "published_as_often_as_usual",
        "few_readings_are_cold",
    }
    assert {each["since"] for each in found.values()} == {"2026-03-02 05:00:00+00:00"}
    volume = found["as_many_readings_as_usual"]
    assert [(alert["at"], alert["value"], alert["in_trouble"]) for alert in volume["alerts"]] == [
        ("2026-04-01 05:00:00+00:00", 100.0, False)
    ]
    assert (volume["learned"], volume["readings"], volume["judged"], volume["learning_days"]) == (True, 40, 26, 14.0)
    assert volume["false_alerts_per_30_days"] == 1.2
    assert (found["readings_are_never_deleted"]["learned"], len(found["readings_are_never_deleted"]["alerts"])) == (False, 1)
    assert [name for name, each in found.items() if not each["can_learn"]] == ["few_readings_are_cold"]
    share = found["most_readings_have_a_temperature"]
    assert (share["kind"], share["alerts"], share["false_alerts_per_30_days"]) == ("share", [], 0.0)
    gaps = found["published_as_often_as_usual"]
    assert (gaps["kind"], gaps["learned"], gaps["readings"], gaps["judged"], gaps["alerts"]) == ("gap", True, 39, 25, [])


@pytest.mark.slow
def test_one_objective_is_told_with_what_it_would_have_said(remembered):
    done = remembered.mesh("backtest", "--sync", "readings", "Readings are never deleted", "--sensitivity", 3, "--minimum-effect", 10)
    assert done.exception.code == FINE
    assert "As many readings as usual" not in done.stdout
    assert "not yet" in done.stdout and "Wed 1 Apr, 07:00 CEST" in done.stdout and "100 is below" in done.stdout
    for other, learns in (("Few readings are cold", "cannot"), ("As many readings as usual", "yes")):
        assert learns in remembered.mesh("backtest", "--sync", "readings", other).stdout
    nothing = remembered.mesh("backtest", "--sync", "readings", "Readings are never deleted", "--minimum-effect", 95)
    assert "1 Apr" not in nothing.stdout


@pytest.mark.slow
def test_what_is_not_there_is_told_with_what_is(published):
    done = published.mesh("backtest", "readings")
    assert done.exception.code == FINE and "no objective of readings has any numbers in the ledger yet" in done.stderr
    wrong = published.mesh("backtest", "readings", "Refreshed dayly")
    assert wrong.exception.code == CANNOT_RUN
    assert 'no objective "Refreshed dayly" of readings; known: ' in wrong.stderr and 'did you mean "Refreshed daily"?' in wrong.stderr
