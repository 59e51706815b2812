"""One product flips through all grades as its data, its promises and its refreshes change."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.meshes import edited, product_file
from tests.refresh.running import deliver, mesh, readings_csv

pytestmark = pytest.mark.slow
FILE = product_file("plant", "readings")
FULL, EMPTY = "20.5", ""
INFORMS = "columns: [degrees]"
MISSED = "Most readings have a temperature: degrees is filled in"


def rows(count, degrees=FULL):
    return readings_csv([(number, "north", degrees) for number in range(1, count + 1)])


def status(root):
    """The exit code of `mesh status readings`, and its health as data. The refresh before it has left the ledger up to date."""
    done = mesh(root, "status", "readings", "--json")
    (health,) = json.loads(done.stdout)
    assert "Dagster's history" not in done.stderr
    return done.returncode, health


def check(health, title):
    (found,) = [each for each in health["checks"] if each["title"] == title]
    return found


def test_a_product_flips_through_its_grades(tiny):
    deliver(tiny, rows(4))
    assert mesh(tiny, "refresh", "readings").returncode == 0
    code, health = status(tiny)
    assert (code, health["status"], health["reason"], health["columns"]) == (0, "healthy", "", [])

    deliver(tiny, rows(4, EMPTY))
    assert mesh(tiny, "refresh", "readings").returncode == 0, "a promise that informs stops nothing"
    code, health = status(tiny)
    assert (code, health["status"], health["columns"]) == (1, "use with care", ["measurements.degrees"])
    assert health["reason"].startswith(MISSED)
    missed = check(health, "Most readings have a temperature")
    told = {name: missed[name] for name in ("verdict", "value", "unit", "comparison", "at_least", "at_most", "failing_rows", "columns")}
    assert told == {
        "verdict": "missed",
        "value": 0.0,
        "unit": "%",
        "comparison": "at least",
        "at_least": 60,
        "at_most": None,
        "failing_rows": 4,
        "columns": ["measurements.degrees"],
    }

    edited(tiny, FILE, INFORMS, f"{INFORMS}\n        business_target: yes")
    code, health = status(tiny)
    assert (code, health["status"], health["columns"]) == (0, "healthy", [])
    assert health["reason"].startswith(MISSED), "a note"

    edited(tiny, FILE, "business_target: yes", "severity: error")
    code, health = status(tiny)
    assert (code, health["status"]) == (1, "unhealthy")
    edited(tiny, FILE, "\n        severity: error\n        at_least: 60", "\n        at_least: 60")

    deliver(tiny, rows(3))
    assert mesh(tiny, "refresh", "readings").returncode == 1
    code, health = status(tiny)
    assert (code, health["status"]) == (1, "unhealthy")
    assert health["reason"].startswith("the last refresh was held back, the gate is closed: Readings are never deleted: 3 rows")

    deliver(tiny, rows(5))
    assert mesh(tiny, "refresh", "readings").returncode == 0
    assert status(tiny)[1]["status"] == "healthy"


def test_late_data_is_unhealthy_whatever_the_severity_and_says_how_old_it_is(published):
    edited(published.root, FILE, "max_age: 26h", "max_age: 1m")
    health = published.health("readings", datetime.now(UTC) + timedelta(days=365))
    assert health.status == "unhealthy"
    (fresh,) = [each for each in health.checks if each.title == "Refreshed daily"]
    assert (fresh.verdict, fresh.severity, fresh.unit, fresh.at_most) == ("missed", "warning", "s", 60)
    assert fresh.value is not None and float(fresh.value) > 364 * 86_400


def test_a_refresh_that_fails_makes_a_product_unhealthy_until_one_succeeds(published):
    sql = "dbt_project/models/plant/readings/measurements.sql"
    edited(published.root, sql, "cast(sensor as varchar)", "cast(sensors as varchar)")
    assert mesh(published.root, "refresh", "readings").returncode == 3
    done = mesh(published.root, "status", "readings", "--json")
    (health,) = json.loads(done.stdout)
    assert (done.returncode, health["status"]) == (1, "unhealthy")
    edited(published.root, sql, "cast(sensors as varchar)", "cast(sensor as varchar)")
    assert mesh(published.root, "refresh", "readings").returncode == 0
    assert json.loads(mesh(published.root, "status", "readings", "--json").stdout)[0]["status"] == "healthy"
