"""`mesh search` and `mesh describe`: what they print."""

import json

import pytest

from platform_resources.cli.terminal.console import CANNOT_RUN, Stop
from tests.meshes import edited, product_file

pytestmark = pytest.mark.slow


def test_search_shows_what_was_found_its_health_and_why(published, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    done = published.mesh("search", "temprature")
    assert done.exit_code == 0, done.stderr
    assert 'nothing has "temprature"; searched for "temperature"' in done.stderr
    shown = " ".join(done.stdout.split())
    assert "readings plant unhealthy Every temperature that a sensor has sent." in shown
    assert "column Temperature; empty when the sensor was off." in shown
    assert "degrees column readings.measurements" in shown


def test_search_as_json_has_words_hits_and_facets(published):
    data = json.loads(published.mesh("search", "sensor", "summary", "--domain", "office", "--json").stdout)
    assert data["words"] == ["sensor", "summary"]
    assert [(hit["name"], hit["exact"]) for hit in data["products"]] == [("summary", True)]
    assert {"value": "office", "count": 1, "chosen": True} in data["facets"]["domain"]


def test_a_value_that_nothing_has_is_said_with_those_that_there_are(published):
    done = published.mesh("search", "--domain", "ofice")
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN
    assert 'nothing that was found has domain "ofice"; what was found has: office, plant\ndid you mean "office"?' in done.stderr


def test_text_of_teams_sends_no_codes_to_the_terminal(published):
    edited(published.root, product_file("plant", "readings"), "Every temperature", '"\\e[31m [red]Every[/red] temperature')
    edited(published.root, product_file("plant", "readings"), "sensor has sent.", 'sensor has sent."')
    done = published.mesh("search", "temperature")
    assert done.exit_code == 0, done.stderr
    assert "\x1b" not in done.stdout and "[red]Every[/red]" in done.stdout


def test_nothing_found_is_said(published):
    done = published.mesh("search", "xylophone")
    assert (done.exit_code, done.stdout.strip()) == (0, "nothing was found; `mesh search` without words lists every product")


def test_describe_shows_purpose_terms_promises_columns_and_how_to_read(published, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    done = published.mesh("describe", "readings")
    assert done.exit_code == 0, done.stderr
    shown = " ".join(done.stdout.split())
    for text in (
        "Sensor readings (plant/readings): unhealthy",
        "Refreshed daily freshness missed it is as of Sat 1 Jun 2024, 14:00 CEST",
        "what: Every temperature that a sensor has sent.",
        "owners: plant-lead@example.com, team:plant-data",
        "runbook: dataproducts/plant/readings/README.md#when-it-breaks",
        "role analyst sees public, internal; masked: personal",
        "reading_id (key) bigint public Number of the reading.",
        "degrees decimal(6,2) internal C Temperature; empty when the sensor was off.",
        "associated_output_port: readings.measurements_sql",
        "how to read it: mesh describe readings --port measurements_file",
    ):
        assert text in shown
    assert "readings.measurements_file version" in " ".join(
        published.mesh("describe", "readings", "--port", "measurements_file").stdout.split()
    )


def test_describe_as_json_has_the_numbers_of_promises_and_the_text_to_copy(published):
    data = json.loads(published.mesh("describe", "readings", "--json").stdout)
    fresh = next(promise for promise in data["promises"] if promise["name"] == "refreshed_daily")
    assert (fresh["verdict"], fresh["at_most"], fresh["unit"]) == ("missed", 26 * 3600, "s")
    assert data["trust"]["coverage"] == json.loads(published.mesh("status", "readings", "--json").stdout)[0]["coverage"]
    assert [port["name"] for port in data["ports"]] == ["measurements_sql", "measurements_file"]
    assert {snippet["kind"] for snippet in data["ports"][0]["access"]} == {"mesh", "python", "duckdb", "curl", "dbt", "input port"}
    assert data["data_sets"][0]["columns"][4]["classification"] == "personal"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("readngs",), 'no product "readngs"; known: readings, summary\ndid you mean "readings"?'),
        (
            ("readings", "--port", "measurement_sql"),
            'readings has no output port "measurement_sql"; it has: measurements_file, measurements_sql\ndid you mean',
        ),
    ],
)
def test_a_name_that_is_not_there_is_told_with_the_nearest(published, arguments, message):
    done = published.mesh("describe", *arguments)
    assert isinstance(done.exception, Stop) and done.exception.code == CANNOT_RUN
    assert message in done.stderr
