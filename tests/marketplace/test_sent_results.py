"""Results of checks from elsewhere, sent to the API: they become checks, verdicts and incidents, once, of the sender's products alone."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from fastapi.testclient import TestClient

from platform_resources.cli.serving import take_results
from platform_resources.dbt.planning import read_plan
from platform_resources.marketplace.application import application
from platform_resources.marketplace.kept_view import opened_market
from platform_resources.marketplace.people.auth_settings import auth_settings
from platform_resources.services.access.tokens import WantedToken, new_token
from tests.marketplace.shop_mesh import opened_ledger
from tests.marketplace.test_people import BEHIND_PROXY

pytestmark = pytest.mark.slow
NOW = datetime.now(UTC).replace(microsecond=0)
SUMS = {"check": "sums agree", "product": "readings", "data_set": "measurements", "verdict": "missed", "failing_rows": 3}
OTHERS = {"check": "names are known", "product": "summary", "verdict": "met"}


@pytest.fixture(scope="module")
def api(shop):
    app = application(opened_market(shop), watch=False, auth=auth_settings(BEHIND_PROXY), take=partial(take_results, shop))
    with TestClient(app, base_url="https://market.example.com", client=("192.168.0.9", 1)) as client:
        yield client


@pytest.fixture(scope="module")
def bearer(shop):
    plan, ledger = read_plan(shop)[0], opened_ledger(shop)

    def issued(*scopes, person="plant-lead@example.com"):
        text, _ = new_token(ledger, plan, WantedToken(person, (), "results", scopes, NOW + timedelta(days=1)), NOW)
        return {"authorization": f"Bearer {text}"}

    yield issued
    ledger.close()


def document(*results, **more):
    return {"tool": "events", "project": "till", "at": NOW.isoformat(), "results": results, **more}


def test_results_become_checks_verdicts_and_incidents_and_count_once(api, bearer):
    first = api.post("/api/v1/results", json=document(SUMS, OTHERS), headers=bearer("act"))
    assert first.status_code == 200, first.text
    taken = first.json()
    assert [(each["product"], each["check"], each["verdict"], each["outcome"]) for each in taken["tests"]] == [
        ("readings", taken["tests"][0]["check"], "missed", "new")
    ]
    assert [each["reason"] for each in taken["refused"]] == ["it is of summary, of which only its owner sends results"]
    again = api.post("/api/v1/results", json=document(SUMS), headers=bearer("act")).json()
    assert (again["new"], again["known"], again["older"]) == (0, 1, 0)
    incidents = api.get("/api/v1/incidents", headers=bearer("metadata")).text
    assert "sums agree" in incidents or "sums_agree" in incidents, incidents


def test_a_project_without_checks_has_none_any_more(api, bearer):
    whole = {"project": "gone", "complete": True}
    assert api.post("/api/v1/results", json=document({**SUMS, "check": "goes"}, **whole), headers=bearer("act")).json()["new"] == 1
    none = api.post("/api/v1/results", json=document(**whole), headers=bearer("act"))
    assert (none.status_code, [each["check"] for each in none.json()["removed"]]) == (200, ["goes"]), none.text


@pytest.mark.parametrize(
    ("scopes", "person", "status"),
    [(("metadata", "data"), "plant-lead@example.com", 403), (("act",), "eve@example.com", 403)],
)
def test_who_may_not_send_them_is_refused(api, bearer, scopes, person, status):
    refused = api.post("/api/v1/results", json=document(SUMS), headers=bearer(*scopes, person=person))
    assert (refused.status_code, bool(refused.json()["hint"])) == (status, True)
    assert api.post("/api/v1/results", json=document(SUMS)).status_code == 401


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (b"", 422, "Invalid JSON"),
        (b"[" * 100_000, 422, "results:1"),
        (b'{"results": NaN}', 422, "results:1"),
        (
            json.dumps(document({**SUMS, "verdict": "good"})).encode(),
            422,
            "results.0.verdict\n  Input should be 'met', 'missed' or 'unknown'",
        ),
        (json.dumps(document(SUMS, SUMS)).encode(), 422, '"sums agree" is said twice'),
        (json.dumps(document({**SUMS, "product": "nothing"})).encode(), 422, "which is no product"),
        (json.dumps(document({**SUMS, "at": (NOW + timedelta(days=1)).isoformat()})).encode(), 422, "which is yet to come"),
        (json.dumps({**document(SUMS), "at": "0001-01-01T00:00:00+10:00"}).encode(), 422, "a time that is no time in UTC"),
        (json.dumps(document({**SUMS, "at": "9999-12-31T23:59:59-10:00"})).encode(), 422, "a time that is no time in UTC"),
        (json.dumps(document()).encode(), 422, "has no results"),
        (b" " * (4 * 2**20 + 1), 413, "at most 4194304 bytes"),
    ],
    ids=range(11),  # what is sent says when the tests were collected
)
def test_what_is_no_document_of_results_is_refused_with_what_is_wrong(api, bearer, content, status, said):
    refused = api.post("/api/v1/results", content=content, headers={**bearer("act"), "content-type": "application/json"})
    assert refused.status_code == status, refused.text
    answer = refused.json() if status == 422 else {"error": refused.text}
    assert said in (answer["error"] or json.dumps(answer.get("refused"))), answer


def test_a_tool_that_there_is_not_is_told(api, bearer):
    refused = api.post("/api/v1/results?tool=sodaa", json={}, headers=bearer("act"))
    assert (refused.status_code, 'did you mean "soda"?' in refused.json()["error"]) == (422, True)
