"""`mesh status`: one number of tests and monitors, what is broken in words, and who has accepted it."""

import json

import dagster as dg
import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.orchestration.instance import instance
from tests.meshes import edited, product_file

pytestmark = pytest.mark.slow

GONE = "no file matches landing/*.csv"


@pytest.fixture
def broken(published):
    """The deliveries of the readings did not arrive, which ana has accepted."""
    edited(published.root, product_file("plant", "readings"), "max_age: 26h", "max_age: 30000d")
    verdict = {"verdict": "missed", "reason": GONE, "kind": "input"}
    arrived = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(["readings", "inputs", "deliveries"]),
        check_name="arrived",
        passed=False,
        metadata=verdict,
        severity=dg.AssetCheckSeverity.WARN,
        description=GONE,
    )
    instance(published.root, published.root).report_runless_asset_event(arrived)
    published.mesh("evaluate")
    return published


def line(told, product):
    return " ".join(next(line for line in told.stdout.splitlines() if f"/{product}" in line).split())


def test_an_input_that_failed_reads_as_broken_in_the_table_and_in_the_incident(broken, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    assert "Input deliveries did not arrive" in line(broken.mesh("status"), "readings")
    assert f"Input deliveries did not arrive: {GONE}" in broken.mesh("incidents").stdout


def test_a_weakness_that_somebody_accepted_says_who_when_and_until_when(broken, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    assert "accepted" not in broken.mesh("status").stdout
    broken.mesh("resolve", "readings#1", "--as", "expected", "--by", "ana", "--note", "it is a holiday")
    assert "Input deliveries did not arrive (accepted by ana, 20" in line(broken.mesh("status"), "readings")
    told = broken.mesh("status", "readings").stdout
    assert "missed, accepted" in told
    (row,) = [line for line in told.splitlines() if "readings#1" in line]
    assert all(
        words in row for words in ("Input deliveries did not arrive", "ana", "expected", "it was well in between", "it is a holiday")
    )
    (data,) = json.loads(broken.mesh("status", "readings", "--json").stdout)
    (accepted,) = data["accepted"]
    assert (accepted["by"], accepted["note"], accepted["check"]) == ("ana", "it is a holiday", "inputs/deliveries:arrived")


def test_the_number_of_tests_and_monitors_is_the_same_wherever_it_is_shown(broken, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    product = read_plan(broken.root)[0].product("readings")
    number = len(product.checks) + len(product.indicators)
    assert f" of {len(product.objectives)} {number} " in line(broken.mesh("status"), "readings")
    assert f"{number} tests and monitors; coverage 100 % (2 of 2 data sets and inputs)" in broken.mesh("status", "readings").stdout
    (data,) = json.loads(broken.mesh("status", "readings", "--json").stdout)
    assert (data["tests_and_monitors"], data["numbers"]["tests_and_monitors"]) == (number, number)
    scorecard = instance(broken.root, broken.root).get_latest_materialization_event(dg.AssetKey(["readings", "scorecard"]))
    shown = scorecard.asset_materialization.metadata
    assert shown["numbers"].value["tests_and_monitors"] == number
    assert not {"checks", "tests", "monitors"} & set(shown), "no other number of the same"


def test_nothing_is_said_of_products_without_the_ledger_but_what_is_wrong_with_it(broken, monkeypatch):
    monkeypatch.setenv("MESH_LEDGER", f"sqlite:///{broken.root}/dataproducts")
    told = broken.mesh("status")
    assert getattr(told.exception, "code", 0) == 3
    assert told.stdout == ""
    assert "cannot be opened" in told.stderr


def test_inputs_that_are_fine_stand_in_one_line(published):
    (port,) = read_plan(published.root)[0].product("summary").inputs
    for check in port.checks:
        met = dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(list(check.key)),
            check_name=check.name,
            passed=True,
            metadata={"verdict": "met", "reason": "fine", "kind": "input"},
        )
        instance(published.root, published.root).report_runless_asset_event(met)
    told = published.mesh("status", "summary", "--sync").stdout
    assert f"inputs that are fine: {port.name}" in told
    assert not [check.title for check in port.checks if check.title in told]


def test_what_is_missed_stands_before_what_is_not_known(broken, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    table = broken.mesh("status", "readings").stdout.partition(" verdict ")[2].partition("incidents")[0]
    verdicts = [word for word in table.split() if word in ("missed", "unknown", "met")]
    assert verdicts.index("unknown") > len(verdicts) - 1 - verdicts[::-1].index("missed")


def test_times_are_those_of_the_product_and_say_so(published):
    edited(published.root, product_file("plant", "readings"), "timezone: Europe/Berlin", "timezone: Asia/Tokyo")
    done = published.mesh("status", "readings")
    told = " ".join(done.stdout.split())
    assert "published Sat 1 Jun 2024, 21:00 JST" in told and " UTC" not in done.output, "one zone on one page"
    (data,) = json.loads(published.mesh("status", "readings", "--json").stdout)
    assert data["published"]["published_at"].startswith("2024-06-01 12:00:00+00:00")


def test_one_product_has_the_coverage_that_it_has_in_the_whole_mesh(published):
    whole = {each["product"]: each for each in json.loads(published.mesh("status", "--json").stdout)}
    (alone,) = json.loads(published.mesh("status", "summary", "--json").stdout)
    assert alone["coverage"] == whole["summary"]["coverage"]
    lineage = alone["coverage"]["lineage"]
    assert lineage["total"] > alone["coverage"]["own"]["total"]
    assert f"({lineage['watched']} of {lineage['total']})" in published.mesh("status", "summary").stdout
