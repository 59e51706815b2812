"""What people do to incidents on pages: forms of this server, in the name of whoever is at this computer."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from platform_resources.services.showing.counted_reads import local_reader
from tests.marketplace.test_product_pages import text

pytestmark = pytest.mark.slow
INCIDENT = "/incidents/readings/1"


def token(client):
    return re.search(r'name="token" value="([^"]+)"', client.get(INCIDENT).text).group(1)


def sent(client, **fields):
    return client.post(INCIDENT, data={"token": token(client), **fields})


def test_an_incident_is_named_by_what_is_broken_with_both_numbers(client):
    page = text(client.get(INCIDENT).text)
    assert "Most readings have a temperature" in page
    assert "Sensor readings: 50\u00a0%; 60\u00a0% is promised." in page
    assert "It informs and does not stop publication, so readers have this data." in page
    assert "Nobody has acknowledged it." in page
    assert "Sensor summary reads the product, and is not reached." in page


def test_a_form_without_the_token_changes_nothing(client):
    answer = client.post(INCIDENT, data={"do": "ack"})
    assert answer.status_code == 403
    assert "load the page again" in answer.text
    assert client.get("/api/v1/incidents/readings/1").json()["status"] == "open"


def test_a_form_that_asks_nothing_known_changes_nothing(client):
    for fields in ({}, {"do": "delete"}, {"do": "resolve", "as": "moved"}, {"do": "resolve"}):
        assert sent(client, **fields).status_code == 403
    assert client.get("/api/v1/incidents/readings/1").json()["status"] == "open"


def test_an_incident_goes_through_its_life_on_the_page(client):
    done = sent(client, do="ack")
    assert (done.status_code, done.headers["location"]) == (303, INCIDENT)
    assert f"Acknowledged by {local_reader()}" in text(client.get(INCIDENT).text)

    again = sent(client, do="ack")
    assert again.status_code == 409
    assert 'role="alert"' in again.text and "acknowledged" in again.text
    at = datetime.fromisoformat(client.get("/api/v1/incidents/readings/1").json()["changed_at"]).astimezone(ZoneInfo("Europe/Berlin"))
    assert f"is acknowledged since {at.day} {at:%b} {at:%H:%M} and cannot" in text(again.text)

    sent(client, do="resolve", **{"as": "expected"}, note="<b>known</b> to all")
    page = client.get(INCIDENT).text
    assert "&lt;b&gt;known&lt;/b&gt; to all" in page and "<b>known" not in page
    assert client.get("/api/v1/incidents?live=true").json() == []

    sent(client, do="reopen")
    assert client.get("/api/v1/incidents/readings/1").json()["reopened"] == 1


def test_no_such_incident_is_said(client):
    for path in ("/incidents/readings/99", "/incidents/nothing/1", "/incidents/readings/1000000000000"):
        assert client.get(path).status_code == 404
        assert client.post(path, data={"token": token(client), "do": "ack"}).status_code == 404


def test_the_list_says_what_is_open_and_links_to_it(client):
    assert f'href="{INCIDENT}"' in client.get("/incidents").text
