"""`mesh search`: what it prints."""

import json

import pytest

from platform_resources.cli.console import CANNOT_RUN, Stop
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
