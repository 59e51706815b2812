"""`mesh monitors plan` and `mesh monitors apply`: what they say, record, and exit with."""

import json

import dagster as dg
import pytest

from platform_resources.cli.terminal.console import CANNOT_RUN, FINE, MISSED, SPEC_INVALID
from platform_resources.cli.terminal.memory import history
from platform_resources.services.unread_history import BEHIND
from tests.cli.conftest import PublishedMesh
from tests.meshes import edited, product_file

READINGS, SUMMARY = product_file("plant", "readings"), product_file("office", "summary")


@pytest.fixture
def mesh(tiny, monkeypatch):
    for variable in ("MESH_STATE", "DAGSTER_HOME", "MESH_LEDGER"):
        monkeypatch.delenv(variable, raising=False)
    return PublishedMesh(tiny)


def code(done):
    assert done.exception is None or hasattr(done.exception, "code"), done.exception
    return getattr(done.exception, "code", FINE)


def planned(mesh, *names):
    return json.loads(mesh.mesh("monitors", "plan", *names, "--json").stdout)


def changed(mesh, *names):
    return {product["product"]: len(product["changes"]) for product in planned(mesh, *names)["products"]}


def test_a_plan_changes_nothing_and_after_apply_there_is_none(mesh):
    assert code(mesh.mesh("monitors", "plan", "--exit-code")) == MISSED
    first = planned(mesh)
    assert first["counts"]["create"] == sum(len(product["changes"]) for product in first["products"]) > 5
    done = mesh.mesh("monitors", "apply", "--by", "ana")
    assert code(done) == FINE
    assert f"applied by ana: {first['counts']['create']} to create" in done.stderr
    again = mesh.mesh("monitors", "plan", "--exit-code")
    assert (code(again), again.stdout.splitlines()[-1]) == (FINE, f"No changes: 2 products, {first['counts']['create']} unchanged")


def test_without_the_option_a_plan_exits_with_0(mesh):
    assert code(mesh.mesh("monitors", "plan")) == FINE


def test_a_change_is_told_field_by_field(mesh):
    mesh.mesh("monitors", "apply")
    edited(mesh.root, READINGS, "at_least: 60", "at_least: 70")
    edited(mesh.root, READINGS, "- name: Refreshed daily", "- name: Kept fresh")
    edited(mesh.root, READINGS, "service_level_name: Refreshed daily", "service_level_name: Kept fresh")
    edited(mesh.root, READINGS, ", tests: [unique]", "")
    assert mesh.mesh("monitors", "plan", "plant").stdout == (
        "plant/readings\n"
        "  → rename  measurements: refreshed_daily -> measurements: kept_fresh\n"
        "      title: Refreshed daily -> Kept fresh\n"
        "      costs: nothing\n"
        "  ~ change  measurements: most_readings_have_a_temperature\n"
        "      settings.at_least: 60 -> 70\n"
        "      costs: nothing\n"
        "  - remove  measurements: unique_measurements_reading_id\n"
        "      costs: -1 query, -1 relation of unknown size read\n"
        "  ~ change  scorecard: refreshed_on_most_days\n"
        "      settings.service_level_name: Refreshed daily -> Kept fresh\n"
        "      description: How well the objective Refreshed daily is kept over time. -> How well the objective Kept fresh is kept over time.\n"
        "      costs: nothing\n"
        "plant/readings: 2 to change, 1 to rename, 1 to remove, 3 unchanged; -1 query, -1 relation of unknown size read\n"
        "\n"
        "In all: 1 product, 2 to change, 1 to rename, 1 to remove, 3 unchanged; -1 query, -1 relation of unknown size read\n"
    )


def test_applying_one_product_or_domain_touches_no_other(mesh):
    assert code(mesh.mesh("monitors", "apply", "plant")) == FINE
    assert changed(mesh) == {"readings": 0, "summary": len(planned(mesh, "summary")["products"][0]["changes"])}
    assert code(mesh.mesh("monitors", "apply", "summary")) == FINE
    assert changed(mesh) == {"readings": 0, "summary": 0}


def test_a_specification_with_problems_is_planned_as_far_as_it_goes_and_not_applied(mesh):
    mesh.mesh("monitors", "apply")
    edited(mesh.root, READINGS, "at_least: 60", "at_least: 70")
    edited(mesh.root, SUMMARY, "dimension: uniqueness", "dimension: uniquness")
    done = mesh.mesh("monitors", "plan", "--exit-code", "--json")
    found = json.loads(done.stdout)
    assert (code(done), [each["product"] for each in found["products"]]) == (SPEC_INVALID, ["readings"])
    assert 'unknown dimension "uniquness"' in found["problems"][0]
    refused = mesh.mesh("monitors", "apply")
    assert (code(refused), refused.stdout) == (SPEC_INVALID, "")
    assert refused.stderr.endswith("nothing is applied: the specifications have problems (above)\n")
    assert changed(mesh) == {"readings": 1}


def test_the_problems_of_one_product_do_not_keep_another_from_being_applied(mesh):
    edited(mesh.root, SUMMARY, "dimension: uniqueness", "dimension: uniquness")
    assert code(mesh.mesh("monitors", "apply", "readings")) == FINE
    assert code(mesh.mesh("monitors", "plan", "readings", "--exit-code")) == FINE
    assert code(mesh.mesh("monitors", "apply", "office")) == SPEC_INVALID


@pytest.mark.parametrize("named", [[], ["summary"], ["office"]])
def test_the_monitors_of_a_product_that_is_gone_are_removed(mesh, named):
    mesh.mesh("monitors", "apply")
    (mesh.root / SUMMARY).unlink()
    found = {product["product"]: product for product in planned(mesh, *named)["products"]}
    assert {change["change"] for change in found["summary"]["changes"]} == {"remove"}
    assert code(mesh.mesh("monitors", "apply", *named)) == FINE
    assert code(mesh.mesh("monitors", "plan", "--exit-code")) == FINE


def test_a_name_that_nothing_has_is_refused(mesh):
    for command in ("plan", "apply"):
        done = mesh.mesh("monitors", command, "readngs")
        told = 'no product or domain "readngs"; known: office, plant, readings, summary\ndid you mean "readings"?\n'
        assert (code(done), done.stdout, done.stderr) == (CANNOT_RUN, "", told)


def test_a_ledger_that_cannot_be_opened_is_told(mesh, monkeypatch):
    monkeypatch.setenv("MESH_LEDGER", "mysql://somewhere/else")
    done = mesh.mesh("monitors", "plan", "--exit-code")
    assert (code(done), done.stdout) == (CANNOT_RUN, "")


def test_data_says_who_applied_what_and_what_it_costs(mesh):
    done = json.loads(mesh.mesh("monitors", "apply", "readings", "--by", "ci", "--json").stdout)
    (product,) = done["products"]
    (unique,) = (each for each in product["changes"] if each["monitor"] == "measurements: unique_measurements_reading_id")
    assert (done["applied_by"], done["problems"], product["domain"], product["refresh_seconds"]) == ("ci", [], "plant", None)
    assert (unique["change"], unique["former"], unique["definition"]["settings.column"]) == ("create", None, "reading_id")
    assert unique["cost"] == {"expressions": 0, "queries": 1, "probes": 0, "rows": 0, "bytes": 0, "unsized": 1}
    assert {"field": "kind", "old": None, "new": "dbt_test"} in unique["fields"]


def test_a_plan_needs_no_history_of_runs(mesh):
    mesh.mesh("monitors", "plan")
    assert not (mesh.root / ".dagster").exists()


def test_hostile_text_is_shown_as_it_is(mesh):
    edited(
        mesh.root, READINGS, "target: 80", 'target: 80\n        exclusions: [{from: 2026-12-24, reason: "[/b] \\e[2J", owner: a@b.example}]'
    )
    done = mesh.mesh("monitors", "plan", "readings")
    assert (code(done), "[/b] \\u001b[2J" in done.stdout, "\x1b" in done.stdout) == (FINE, True, False)


def test_a_plan_says_what_the_ledger_lacks_and_syncs_it_when_asked(mesh):
    with history(mesh.root) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(["readings", "measurements"]))
    assert BEHIND in in_one_line(mesh.mesh("monitors", "plan").stderr)
    synced = mesh.mesh("monitors", "plan", "--sync")
    assert (code(synced), BEHIND in in_one_line(synced.stderr)) == (FINE, False)
    assert BEHIND not in in_one_line(mesh.mesh("monitors", "plan").stderr)


def in_one_line(text):
    return " ".join(text.split())
