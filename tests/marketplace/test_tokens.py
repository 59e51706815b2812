"""Tokens: shown once, kept by their digest, worth what they are for and no longer than they last; and sessions that were signed out of."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.people.token_store import revoke_token, tokens_of
from platform_resources.ledger.people_tables import access_tokens
from platform_resources.marketplace.application import application
from platform_resources.marketplace.kept_view import opened_market
from platform_resources.marketplace.people.auth_settings import AuthSettings, auth_settings
from platform_resources.redaction.redaction import mask
from platform_resources.services.access.tokens import TokenRefused, WantedToken, new_token
from tests.marketplace.shop_mesh import opened_ledger
from tests.marketplace.test_people import BEHIND_PROXY, as_, browser, token

pytestmark = pytest.mark.slow
OWNER, EVE = "plant-lead@example.com", "eve@example.com"
NOW = datetime.now(UTC)
FILE = "/api/v1/products/readings/ports/measurements_file/file"


@pytest.fixture(scope="module")
def pages(shop):
    with browser(shop, auth_settings(BEHIND_PROXY), address=("192.168.0.9", 1)) as client:
        yield client


@pytest.fixture(scope="module")
def people(shop):
    with browser(shop, auth_settings(BEHIND_PROXY)) as client:
        yield client


@pytest.fixture(scope="module")
def ledger(shop):
    found = opened_ledger(shop)
    yield found
    found.close()


@pytest.fixture(scope="module")
def issue(shop, ledger):
    plan, _ = read_plan(shop)

    def issued(*scopes, person=OWNER, until=NOW + timedelta(days=1), now=NOW, groups=()):
        return new_token(ledger, plan, WantedToken(person, groups, "a test", scopes, until), now)

    return issued


def bearer(text):
    return {"authorization": f"Bearer {text}"}


def port_of(pages, text):
    product = pages.get("/api/v1/products/readings", headers=bearer(text)).json()
    return product["ports"][0]["name"]


def test_a_token_reads_as_its_person_and_nobody_reads_without_one(pages, issue):
    text, _ = issue("metadata")
    assert pages.get("/api/v1/products").status_code == 401
    answer = pages.get("/api/v1/products", headers=bearer(text))
    assert answer.status_code == 200 and answer.json()["products"]
    for wrong in ("mesh_" + "x" * 43, "mesh_", text[:-1], text + "x"):
        refused = pages.get("/api/v1/products", headers=bearer(wrong))
        assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"
        assert wrong == "mesh_" or wrong not in refused.text
    twice = pages.get("/api/v1/products", headers=[("authorization", f"Bearer {text}"), ("authorization", "Bearer mesh_other")])
    assert twice.status_code == 401


def test_a_token_is_worth_what_it_is_for(pages, issue):
    metadata, _ = issue("metadata")
    data, _ = issue("data")
    one, _ = issue("metadata", "data:summary")
    port = port_of(pages, metadata)
    file = f"/api/v1/products/readings/ports/{port}/file"
    assert pages.get(file, headers=bearer(metadata)).status_code == 403
    assert "this token is for metadata, not for data" in pages.get(file, headers=bearer(metadata)).text
    assert pages.get(file, headers=bearer(data)).status_code == 302
    assert pages.get("/api/v1/products", headers=bearer(data)).status_code == 403
    refused = pages.get(file, headers=bearer(one))
    assert refused.status_code == 403 and "this token does not read readings" in refused.text
    of_port, _ = issue(f"data:readings/{port}")
    assert pages.get(file, headers=bearer(of_port)).status_code == 302


def test_a_token_gives_no_more_than_its_person_may_have(pages, issue):
    text, _ = issue("metadata", "data", person=EVE)
    assert pages.get(f"/api/v1/products/readings/ports/{port_of(pages, text)}/file", headers=bearer(text)).status_code == 403


def test_what_ends_or_is_revoked_ends_at_once_also_where_an_answer_is_kept(pages, issue, ledger):
    text, made = issue("metadata")
    for _ in range(2):
        assert pages.get("/api/v1/domains", headers=bearer(text)).status_code == 200
    with ledger.writing() as connection:
        assert not revoke_token(connection, made.id, EVE, NOW)
        assert revoke_token(connection, made.id, OWNER, NOW)
    refused = pages.get("/api/v1/domains", headers=bearer(text))
    assert refused.status_code == 401 and "was revoked" in refused.json()["error"]

    past, _ = issue("metadata", until=NOW - timedelta(seconds=1), now=NOW - timedelta(days=1))
    assert "was expired" in pages.get("/api/v1/domains", headers=bearer(past)).json()["error"]


def test_only_a_digest_is_kept_and_the_last_use_is_seen(pages, issue, ledger):
    text, made = issue("metadata")
    assert pages.get("/api/v1/domains", headers=bearer(text)).status_code == 200
    with ledger.reading() as connection:
        (row,) = connection.execute(access_tokens.select().where(access_tokens.c.id == made.id)).mappings().all()
        used = next(each for each in tokens_of(connection, OWNER) if each.id == made.id)
    assert text not in str(dict(row)) and text.removeprefix("mesh_") not in str(dict(row))
    assert used.last_used_at is not None and used.last_used_at >= NOW
    assert text not in mask(f"the request sent {text} and failed")


WRONG = {
    "no scope": ((), NOW + timedelta(days=1), "say what the token may do"),
    "an unknown scope": (("metdata",), NOW + timedelta(days=1), 'did you mean "metadata"'),
    "an unknown port": (("data:readings/nothing",), NOW + timedelta(days=1), 'no output port "nothing"'),
    "no end": (("data",), NOW + timedelta(days=4000), "within 366 days"),
    "the past": (("data",), NOW, "a token ends after now"),
}


@pytest.mark.parametrize(("scopes", "until", "told"), WRONG.values(), ids=WRONG)
def test_a_token_that_makes_no_sense_is_not_made(issue, scopes, until, told):
    with pytest.raises(TokenRefused, match=told):
        issue(*scopes, until=until)


def test_one_makes_and_revokes_tokens_on_a_page_that_shows_each_once(people, pages):
    headers = as_(OWNER)
    form = token(people.get("/tokens", headers=headers).text)
    page = people.post("/tokens", data={"token": form, "title": "nightly load", "metadata": "yes", "ports": "summary"}, headers=headers)
    text = page.text.partition("<pre><code>")[2].partition("</code>")[0]
    assert page.headers["cache-control"] == "no-store"
    assert pages.get("/api/v1/products", headers=bearer(text)).status_code == 200
    listed = people.get("/tokens", headers=headers).text
    assert "nightly load" in listed and text not in listed
    assert "nightly load" not in people.get("/tokens", headers=as_(EVE)).text
    number = listed.partition('action="/tokens/')[2].partition('"')[0]
    of_eve = token(people.get("/tokens", headers=as_(EVE)).text)
    assert people.post(f"/tokens/{number}", data={"token": of_eve}, headers=as_(EVE)).status_code == 404
    assert pages.get("/api/v1/products", headers=bearer(text)).status_code == 200
    assert people.post(f"/tokens/{number}", data={"token": form}, headers=headers).status_code == 303
    assert pages.get("/api/v1/products", headers=bearer(text)).status_code == 401
    wrong = people.post("/tokens", data={"token": form, "title": "x", "ports": "nothing"}, headers=headers)
    assert wrong.status_code == 422 and "No token was made" in wrong.text


def test_a_token_opens_no_page_and_makes_no_token(pages, issue):
    text, _ = issue("metadata", "data", "act")
    assert pages.get("/tokens", headers=bearer(text)).status_code == 401
    assert pages.post("/tokens", data={"title": "another"}, headers=bearer(text)).status_code == 401


def test_no_address_of_the_api_answers_a_token_that_is_for_something_else(pages, issue):
    """Whichever address comes, it says what a token needs for it."""
    reads, acts = issue("metadata")[0], issue("act")[0]
    document = pages.get("/api/v1/openapi.json", headers=bearer(reads)).json()
    of_acts = "/api/v1/hooks"  # who lists them may end them
    answers = {
        (method, path): pages.request(
            method, re.sub(r"{[^}]*}", "1", path), headers=bearer(acts if method == "get" and path != of_acts else reads)
        ).status_code
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert len(answers) > 10 and set(answers.values()) == {403}, answers


def test_metrics_are_for_who_runs_the_platform_by_a_token(pages, issue):
    """A program that watches the server has a token as others have; whether the server lives is no secret."""
    plain, _ = issue("metadata", person=EVE)
    refused = pages.get("/api/v1/metrics", headers=bearer(plain))
    assert refused.status_code == 403 and "MESH_PLATFORM" in refused.json()["hint"]
    assert pages.get("/api/v1/metrics").status_code == 401
    runs_it, _ = issue("metadata", person="root@example.com", groups=("team:platform",))
    answer = pages.get("/api/v1/metrics", headers=bearer(runs_it))
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'mesh_product_rows{data_set="measurements",domain="plant",product="readings"} ' in answer.text
    assert [pages.get(f"/health/{name}").text for name in ("live", "ready")] == ["ok\n", "ok\n"]


def test_a_token_is_of_the_teams_that_its_person_has_now_and_ends_sooner(people, pages, issue, ledger):
    """What somebody may as a member of a team ends when they come back without it; whoever does not come back has a month at most."""
    person, text = "mover@example.com", issue("data", person="mover@example.com", groups=("team:plant-data",))[0]
    port = next(iter(people.get("/api/v1/products/readings", headers=as_(OWNER)).json()["ports"]))["name"]
    file = f"/api/v1/products/readings/ports/{port}/file"
    assert pages.get(file, headers=bearer(text)).status_code == 302
    people.get("/", headers=as_(person.title(), "plant-data, others"))
    assert pages.get(file, headers=bearer(text)).status_code == 302
    people.get("/", headers=as_(person, "others"))
    assert pages.get(file, headers=bearer(text)).status_code == 403
    long, short = (issue("data", until=NOW + timedelta(days=days), person=person)[0] for days in (200, 20))
    people.get("/", headers=as_(person, "plant-data"))
    assert [pages.get(file, headers=bearer(each)).status_code for each in (long, short)] == [403, 302]
    with pytest.raises(TokenRefused, match="of somebody with teams ends after now and within 30 days"):
        issue("data", until=NOW + timedelta(days=31), groups=("team:plant-data",))
    assert "30 days at most, as you have teams" in people.get("/tokens", headers=as_(OWNER, "plant-data")).text


def test_a_copied_cookie_is_dead_once_its_session_was_signed_out_of(shop):
    app = application(opened_market(shop), watch=False, auth=AuthSettings())
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        form = token(client.get("/sign-in").text)
        client.post("/sign-in", data={"token": form, "name": EVE})
        copied = client.cookies["mesh_session"]
        client.post("/sign-out", data={"token": token(client.get("/sign-in").text)})
        client.cookies.set("mesh_session", copied)
        assert f"You read as {EVE}" not in client.get("/sign-in").text
        assert client.post("/sign-in", data={"token": form, "name": EVE}).status_code == 303
