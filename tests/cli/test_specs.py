"""`mesh plan` and `mesh capabilities` show what others wrote as it is."""

import json

import pytest
from typer.testing import CliRunner

from platform_resources.cli.app import app
from platform_resources.cli.terminal.console import CANNOT_RUN
from platform_resources.dbt.planning import read_plan
from platform_resources.plan.plan_text import fingerprint
from tests.meshes import edited, product_file


def test_a_plan_shows_brackets_in_names_as_they_are(published):
    edited(published.root, product_file("plant", "readings"), "- name: Refreshed daily", '- name: "[/b] Refreshed [red]daily"')
    edited(
        published.root,
        product_file("plant", "readings"),
        "service_level_name: Refreshed daily",
        'service_level_name: "[/b] Refreshed [red]daily"',
    )
    edited(published.root, product_file("plant", "readings"), "title: Sensor readings", 'title: "[/b]"')
    done = published.mesh("plan")
    assert "plant/readings" in done.stdout and "\n" in done.stdout
    assert getattr(done.exception, "code", None) == 0, done.exception


def test_every_capability_can_be_shown(published):
    for each in json.loads(published.mesh("capabilities", "--json").stdout):
        assert each["documentation"].splitlines()[0][:40] in published.mesh("capabilities", each["name"]).stdout.replace("\n", " ")


@pytest.mark.parametrize(
    "command", [("validate", "--json"), ("plan", "--json"), ("capabilities", "--json"), ("schema",), ("schema", "--domain")]
)
def test_data_is_all_that_goes_to_standard_output(published, command):
    edited(published.root, product_file("office", "summary"), "dimension: uniqueness", "dimension: uniquness")
    json.loads(published.mesh(*command).stdout)


def test_a_plan_shows_who_is_told(published):
    said = 'title: Office\nchannels: {desk: {url: "${DESK_URL}"}}\n'
    (published.root / "dataproducts/office/domain.yaml").write_text(
        f"{said}routes: [{{channel: desk, for: subscriber, severity: high, quiet_hours: {{from: '20:00', to: '07:00'}}}}]\n"
    )
    told = "office.desk for the subscriber, from severity high, quiet from 20:00 to 07:00 UTC"
    assert told in published.mesh("plan", "summary").stdout
    assert "routes" not in published.mesh("plan", "readings").stdout


def test_the_plan_of_one_product_tells_its_readers_what_they_need(published):
    spec = product_file("plant", "readings")
    edited(
        published.root,
        spec,
        "purpose: Reporting.\n",
        'purpose: "[/b] Reporting."\n        terms: Not for sale.\n        notice_period: 30d\n',
    )
    edited(published.root, spec, "title: Sensor readings", "title: Sensor readings\n        purpose: To see what breaks.")
    shown = published.mesh("plan", "readings").stdout
    for words in (
        "what: Every temperature that a sensor has sent.",
        "purpose: To see what breaks.",
        "runbook: dataproducts/plant/readings/README.md#when-it-breaks",
        "owners: plant-lead@example.com, team:plant-data",
        "agreement Company use",
        "purpose: [/b] Reporting.",
        "terms: Not for sale.",
        "approval: by the owner",
        "notice period: 30d",
        "role analyst sees public, internal; masked: personal",
        "grants role analyst to product:summary: Reporting.",
        "ask for a role: mesh access request readings --role ROLE --purpose WHY",
        "who has a role now: mesh access who readings",
        "mesh query readings 'select * from measurements order by degrees desc limit 3'",
    ):
        assert words in shown
    assert "sample query" not in published.mesh("plan").stdout


def test_terms_for_readers_make_no_new_version(tiny):
    before = fingerprint(read_plan(tiny)[0].product("readings"))
    edited(tiny, product_file("plant", "readings"), "purpose: Reporting.", "purpose: Everything.")
    assert fingerprint(read_plan(tiny)[0].product("readings")) == before


def test_the_schema_of_a_domain_is_not_that_of_a_product(published):
    assert json.loads(published.mesh("schema", "--domain").stdout)["title"] == "Domain"
    assert json.loads(published.mesh("schema").stdout)["title"] == "Data product"


def test_settings_say_what_is_set_and_hide_passwords(published, monkeypatch):
    monkeypatch.delenv("MESH_AUDIT_TIMEOUT", raising=False)
    monkeypatch.setenv("MESH_MEMORY_LIMIT", "1GB\n")
    monkeypatch.setenv("MESH_LEDGER", "postgresql://mesh:opensesame@db/ledger")
    monkeypatch.setenv("MESH_MAIL", "opensesame")
    now = {setting["name"]: setting["now"] for setting in json.loads(published.mesh("settings", "--json").stdout)}
    assert (now["MESH_MEMORY_LIMIT"], now["MESH_AUDIT_TIMEOUT"]) == ("1GB", None)
    assert now["MESH_LEDGER"] == "postgresql://mesh:***@db/ledger"
    table = published.mesh("settings").stdout
    assert "opensesame" not in table + str(now)
    assert "MESH_MEMORY_LIMIT" in table and "1GB" in table


@pytest.mark.parametrize("asked", [["readings"], ["--all"], ["--stale"]])
def test_a_refresh_that_cannot_read_the_models_does_not_say_that_there_are_none(tiny, asked):
    (tiny / "dbt_project/dbt_project.yml").unlink()
    done = CliRunner().invoke(app, ["--root", str(tiny), "refresh", *asked])
    assert getattr(done.exception, "code", None) == CANNOT_RUN
    assert "dbt has not read the models in dbt_project/models/plant/readings/" in done.stderr.replace("\n", " ")
    assert "it has no dbt model" not in done.stderr and "up to date" not in done.output
