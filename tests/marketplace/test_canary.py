"""Nothing that somebody may not see leaves by any address of the API, any form, any tool of agents, or the text of any refusal."""

import re
from datetime import timedelta

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from platform_resources.dbt.planning import read_plan
from platform_resources.marketplace.application import application
from platform_resources.marketplace.kept_view import opened_market
from platform_resources.marketplace.people.auth_settings import auth_settings
from platform_resources.mcp.serving_agents import with_agents
from platform_resources.publications.published_versions import shelf
from platform_resources.services.access.tokens import WantedToken, new_token
from tests.marketplace.shop_mesh import NOW, opened_ledger, running
from tests.marketplace.test_agents import call
from tests.marketplace.test_people import BEHIND_PROXY, as_, browser, token

pytestmark = pytest.mark.slow
# The operator's name stands in every row of the port, which Eve has no grant for.
CANARY, EVE, OWNER = "Ada", "eve@example.com", "plant-lead@example.com"
FORMS = ("json", "ndjson", "csv", "arrow", "parquet")
RECORDS = "/api/v1/ports/plant/readings/{port}/records"


@pytest.fixture(scope="module")
def issue(shop):
    plan, ledger = read_plan(shop)[0], opened_ledger(shop)
    yield lambda person: new_token(
        ledger, plan, WantedToken(person, (), "a canary", ("metadata", "data", "act"), NOW + timedelta(days=1)), NOW
    )[0]
    ledger.close()


@pytest.fixture(scope="module")
def pages(shop):
    with browser(shop, auth_settings(BEHIND_PROXY), address=("192.168.0.9", 1)) as client:
        yield client


def known(shop):
    """What stands in addresses: every port, its newest version and the names of its files."""
    publication = shelf(shop, "plant", "readings").latest()
    for port in publication.ports:
        for file in port.files:
            yield {"port": port.port, "version": publication.id, "file_name": file.rsplit("/", 1)[-1]}


def addresses(pages, shop, headers):
    """Every address of the document, with what there is."""
    document = pages.get("/api/v1/openapi.json", headers=headers).json()
    fixed = {"name": "readings", "domain": "plant", "data_set": "measurements", "column": "operator", "form": "odcs"}
    fixed |= {"cause": "readings", "number": "1"}
    for path, methods in document["paths"].items():
        for place in known(shop):
            address = re.sub(r"{(\w+)}", lambda found, place=place: str((fixed | place).get(found[1], "1")), path)
            yield from ((method, address) for method in methods)


def bodies(address):
    """What is sent: every query names what is hidden."""
    if address.endswith("/query"):
        return [{"sql": f"select operator from readings.{name}"} for name in ("measurements", "measurements_file", "measurements_sql")]
    return [{"role": "analyst", "purpose": "x"} if address.endswith("/access") else {"url": "http://127.0.0.1:9"}]


def test_no_address_of_the_api_gives_what_is_not_granted(pages, shop, issue):
    eve, owner = ({"authorization": f"Bearer {issue(person)}"} for person in (EVE, OWNER))
    asked, seen = set(addresses(pages, shop, eve)), []
    for method, address in sorted(asked):
        for body in bodies(address) if method == "post" else [None]:
            answer = pages.request(method, address, json=body, headers=eve)
            assert answer.status_code < 500 and CANARY.encode() not in answer.content, (method, address, answer.text[:300])
            if pages.request(method, address, json=body, headers=owner, follow_redirects=True).content.find(CANARY.encode()) >= 0:
                seen.append(address)
    assert len(asked) > 25 and any("/records" in each for each in seen) and any("/files/" in each for each in seen), seen


@pytest.mark.parametrize("form", FORMS)
def test_no_form_filter_or_cursor_gives_it_either(pages, shop, issue, form):
    eve, owner = ({"authorization": f"Bearer {issue(person)}"} for person in (EVE, OWNER))
    for place in known(shop):
        address = RECORDS.format(**place)
        cursor = pages.get(address, params={"limit": 1, "sort": "operator"}, headers=owner).json()["next"]
        for query in (
            {},
            {"columns": "operator"},
            {"where": "operator:like:A%"},
            {"where": "operator:eq:1"},
            {"sort": "operator", "limit": 1, "after": cursor},
            {"version": place["version"]},
        ):
            answer = pages.get(address, params={"format": form, **query}, headers=eve)
            assert answer.status_code == 403 and CANARY.encode() not in answer.content


def test_no_answer_that_was_kept_for_somebody_else_is_given(pages, shop, issue):
    eve, owner = ({"authorization": f"Bearer {issue(person)}"} for person in (EVE, OWNER))
    address = RECORDS.format(**next(known(shop)))
    mine = pages.get(address, headers=owner)
    assert CANARY in mine.text
    assert pages.get(address, headers=eve | {"if-none-match": mine.headers["etag"]}).status_code == 403


def routes(app):
    """Every page and form of the application, with what there is in its address, for a product and for a domain."""
    told = {
        "domain": "plant",
        "column": "operator",
        "cause": "readings",
        "number": "1",
        "form": "csv",
        "draft": "abc",
        "grant": "readings#1",
    }
    included = [
        route for router in app.routes for route in (router.original_router.routes if hasattr(router, "original_router") else [router])
    ]
    for route in included:
        for name in ("readings", "plant") if isinstance(route, APIRoute) and not route.include_in_schema else ():
            address = re.sub(r"{(\w+)(:path)?}", lambda found, name=name: (told | {"name": name}).get(found[1], "1"), route.path)
            yield from ((method, address) for method in route.methods)


def test_no_page_and_no_form_shows_it_nor_a_query_that_somebody_has_saved(shop):
    asked = {"sql": "select operator from readings.measurements", "product": "readings", "q": "operator", "of": "readings", "p": "readings"}
    app = application(opened_market(shop), watch=False, auth=auth_settings(BEHIND_PROXY))
    with TestClient(app, base_url="https://market.example.com", client=("10.1.2.3", 5000), follow_redirects=False) as client:
        owner, eve = as_(OWNER), as_(EVE)
        saved = {"token": token(client.get("/tokens", headers=owner).text), "title": "Who", "sql": f"{asked['sql']} where operator = 'Ada'"}
        assert client.post("/lab/saved", data=saved, headers=owner).status_code == 303
        form, seen, tried = token(client.get("/tokens", headers=eve).text), [], sorted(set(routes(app)))
        for method, address in tried:
            data = {"token": form, "title": "x", "url": "http://127.0.0.1:9", **asked} if method == "POST" else None
            answer = client.request(method, address, params=asked, data=data, headers=eve)
            assert answer.status_code < 500 and CANARY.encode() not in answer.content, (method, address, answer.text[:300])
            if method == "GET" and CANARY.encode() in client.get(address, params=asked, headers=owner).content:
                seen.append(address)
    assert len(tried) > 40 and {"/lab", "/lab/result.csv"} <= {*seen}, (len(tried), seen)


def test_no_tool_of_an_agent_gives_it(shop, issue):
    tools = (
        ("search", {"words": "Ada"}),
        ("describe", {"product": "readings"}),
        ("trust", {"product": "readings"}),
        ("query", {"sql": "select operator from readings.measurements"}),
        ("query", {"sql": "select cast(operator as integer) from readings.measurements"}),
        ("query", {"sql": "select operator from measurements", "product": "readings"}),
        ("request_access", {"product": "readings", "role": "analyst", "purpose": "x"}),
    )
    token = issue(EVE)
    with running(with_agents(application(opened_market(shop), watch=False, auth=auth_settings(BEHIND_PROXY)))) as address:
        for tool, arguments in tools:
            assert CANARY not in call(f"{address}/mcp", token, tool, **arguments)[1].replace('"words": "Ada"', ""), tool
