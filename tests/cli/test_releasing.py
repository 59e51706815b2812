"""`mesh diff` and `mesh release check`: what breaks consumers is stopped, with those named who use it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.cli.terminal.console import CANNOT_RUN, FINE, MISSED, SPEC_INVALID
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.lineage.column_uses import ColumnRef
from platform_resources.lineage.product_lineage import ModelLineage, ProductLineage, lineage_text
from platform_resources.plan import conventions
from platform_resources.plan.plan_text import fingerprint
from platform_resources.refresh.publishing import Candidate, publish
from platform_resources.services.releases.release_checks import note_published_contracts
from platform_resources.warehouses.duckdb.product_database import opened
from tests.cli.conftest import NOW, ROWS, PublishedMesh, git
from tests.meshes import edited, model_file, product_file

FILE = product_file("plant", "readings")
INPUT = "inputs/measurements"
# summary uses two of the columns that it receives: sensor as a value, degrees too; operator and the others in nothing.
BUILT = ProductLineage(
    {
        "sensor_readings": ModelLineage(
            ("sensor", "degrees"),
            {"sensor": {ColumnRef(INPUT, "sensor"): "passed on"}, "degrees": {ColumnRef(INPUT, "degrees"): "passed on"}},
            {},
            (INPUT,),
            "",
            "1",
        ),
    },
    {INPUT: ("reading_id", "sensor", "degrees", "measured_at", "operator")},
)


@pytest.fixture
def released(tagged):
    """The tiny mesh in git, tagged v1; summary was built from readings."""
    file = tagged / conventions.lineage_file("office", "summary")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(lineage_text(BUILT), encoding="utf-8")
    return PublishedMesh(tagged)


def check(mesh, *arguments):
    """The exit code, and what is said."""
    done = mesh.mesh("release", "check", "--against", "v1", *arguments)
    return getattr(done.exception, "code", done.exit_code), done.output


def test_nothing_stands_in_the_way_of_what_is_as_it_was(released):
    assert check(released) == (FINE, "No consumer sees a difference.\n")


def test_a_column_that_is_gone_stops_the_release_and_names_those_who_use_it(released):
    edited(released.root, FILE, "name: degrees, type", "name: heat, type")
    edited(released.root, FILE, "columns: [degrees]", "columns: [heat]")
    code, said = check(released)
    assert code == MISSED
    assert "## readings: 1.1.0 → 1.1.0" in said and "MAJOR change, at least version 2.0.0. It concerns **summary**." in said
    assert "`measurements.degrees`: column degrees is gone" in said
    assert (
        "product **summary** uses degrees of its input port measurements (^1) (ask office-lead@\u200bexample.com, team:office-data)" in said
    )
    assert "version 1.1.0 is too low for changes that break consumers since 1.1.0; write version: 2.0.0" in said
    assert "what breaks concerns summary: leave the port as it is" in said


def test_a_column_that_nobody_uses_concerns_nobody(released):
    edited(released.root, FILE, "version: 1.1.0", "version: 2.0.0")
    edited(released.root, FILE, "name: measured_at, type", "name: taken_at, type")
    code, said = check(released)
    assert (code, "summary" in said) == (FINE, False)


def test_what_was_never_built_may_use_any_column(released):
    (released.root / conventions.lineage_file("office", "summary")).unlink()
    edited(released.root, FILE, "name: measured_at, type", "name: taken_at, type")
    assert "product **summary** reads it by its input port measurements (^1), and was not built yet" in check(released)[1]


def test_consumers_who_agree_and_the_right_version_let_it_pass(released):
    edited(released.root, FILE, "name: degrees, type", "name: heat, type")
    edited(released.root, FILE, "columns: [degrees]", "columns: [heat]")
    edited(released.root, FILE, "version: 1.1.0", "version: 2.0.0")
    code, said = check(released)
    assert code == MISSED and "undetermined" not in said.splitlines()[2]
    assert check(released, "--acknowledged", "summary", "--accept")[0] == FINE


def test_what_is_undetermined_needs_somebody_to_look_at_it(released):
    edited(released.root, FILE, "version: 1.1.0", "version: 1.1.1")
    edited(released.root, model_file("plant", "readings", "measurements"), "cast(sensor", "cast(upper(sensor)")
    code, said = check(released)
    assert code == MISSED and "nobody but a person can say whether they break something" in said
    assert "product **summary** uses sensor, degrees of its input port" in said
    assert check(released, "--accept")[0] == FINE


def test_additions_need_a_minor_version(released):
    edited(released.root, FILE, "max_age: 26h", "max_age: 12h")
    assert "version 1.1.0 is too low for additions since 1.1.0; write version: 1.2.0" in check(released)[1]
    edited(released.root, FILE, "version: 1.1.0", "version: 1.2.0")
    assert check(released)[0] == FINE
    edited(released.root, FILE, "version: 1.2.0", "version: 1.0.0")
    assert "version 1.0.0 is below 1.1.0, which is published" in check(released)[1]


def test_drafts_and_versions_below_one_are_exempt(released):
    edited(released.root, product_file("office", "summary"), "name: readings, type: bigint", "name: count, type: bigint")
    code, said = check(released, "summary")
    assert code == FINE
    assert "which promises nothing yet" in said and "`sensors.readings`: column readings is gone" in said


def test_support_does_not_end_sooner_than_the_notice_that_is_promised(released):
    edited(released.root, FILE, "purpose: Reporting.\n", "purpose: Reporting.\n        notice_period: 30d\n")
    git(released.root, "commit", "-qam", "notice")
    git(released.root, "tag", "-f", "v1")
    soon = (datetime.now(UTC) + timedelta(days=9)).date()
    ends = f"lifecycle: deprecated\n        replacement: summary\n        end_date: {soon}"
    edited(released.root, FILE, "lifecycle: production", ends)
    edited(released.root, FILE, "version: 1.1.0", "version: 1.2.0")
    code, said = check(released)
    assert code == MISSED and f"support ends on {soon}, in 9 days; its agreements promise 30 days' notice" in said


def test_a_product_that_is_gone_concerns_all_who_read_it(released):
    (released.root / FILE).unlink()
    code, said = check(released)
    assert (code, "the product is gone" in said, "product **summary** reads it" in said) == (SPEC_INVALID, True, True)


def test_a_profile_looks_no_further(released):
    edited(released.root, FILE, "sees: [public, internal]", "sees: [public]")
    assert "role analyst sees sensor not at all" in check(released)[1]
    assert check(released, "--profile", "guarantees") == (FINE, "No consumer sees a difference.\n")


def test_a_diff_compares_two_folders_as_data_too(released, tmp_path):
    git(released.root, "clone", "-q", ".", str(tmp_path / "old"))
    edited(released.root, FILE, "[north, south]", "[north, south, west]")
    done = released.mesh("diff", tmp_path / "old", "--json")
    (readings, summary) = json.loads(done.stdout)
    assert (readings["class"], readings["demanded"], readings["consumers"], summary["class"]) == ("major", "2.0.0", ["summary"], None)
    assert [change["what"] for change in readings["changes"]] == ["column sensor may have the new values west"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("diff", "v9"), "v9 is neither a folder nor a revision that git knows"),
        (("diff",), "nothing has been published yet"),
        (("diff", "v1", "--product", "reading"), 'no product "reading"; known: readings, summary'),
        (("release", "check", "--against", "v1", "--profile", "governence"), 'no profile "governence"'),
    ],
)
def test_what_cannot_be_compared_is_told(released, arguments, said):
    done = released.mesh(*arguments)
    assert getattr(done.exception, "code", None) == CANNOT_RUN
    assert said in done.output


def test_what_was_published_last_is_remembered_and_compared_with(released):
    root = released.root
    plan, _ = read_plan(root)
    product = plan.product("readings")
    with opened(root / "warehouse/plant/readings.duckdb") as database:
        database.connection.execute(ROWS)
        publish(database, Candidate(product, root, NOW, "run", fingerprint(product)), {})
    ledger = open_ledger(ledger_url(root, {}))
    note_published_contracts(ledger, root, plan, ["readings", "summary"], NOW)
    done = released.mesh("release", "check")
    assert (getattr(done.exception, "code", None), done.output) == (FINE, "No consumer sees a difference.\n")
    edited(root, FILE, "unit: C", "unit: F")
    note_published_contracts(ledger, root, read_plan(root)[0], ["readings"], NOW)
    ledger.close()
    done = released.mesh("release", "check")
    assert getattr(done.exception, "code", None) == MISSED
    assert "column degrees is in F, not in C" in done.output
