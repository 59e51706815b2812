"""The tools of agents: the same services by the same tokens, over HTTP and over standard input and output."""

import json
import sys
from datetime import timedelta
from pathlib import Path

import anyio
import httpx2
import mcp
import pytest
from mcp.client.streamable_http import streamable_http_client

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.people.token_store import revoke_token
from platform_resources.marketplace.application import application
from platform_resources.marketplace.kept_view import opened_market
from platform_resources.marketplace.people.auth_settings import auth_settings
from platform_resources.mcp.serving_agents import with_agents
from platform_resources.services.access.tokens import WantedToken, new_token
from tests.marketplace.shop_mesh import NOW, opened_ledger, running
from tests.marketplace.test_people import BEHIND_PROXY

pytestmark = pytest.mark.slow
OWNER, EVE = "plant-lead@example.com", "eve@example.com"
TOOLS = ["describe", "query", "request_access", "search", "trust"]


@pytest.fixture(scope="module")
def ledger(shop):
    found = opened_ledger(shop)
    yield found
    found.close()


@pytest.fixture(scope="module")
def issue(shop, ledger):
    plan, _ = read_plan(shop)
    return lambda person, *scopes: new_token(ledger, plan, WantedToken(person, (), "an agent", scopes, NOW + timedelta(days=1)), NOW)


@pytest.fixture(scope="module")
def agents_address(shop):
    with running(with_agents(application(opened_market(shop), watch=False, auth=auth_settings(BEHIND_PROXY)))) as found:
        yield f"{found}/mcp"


def session(address, token, use):
    async def talk():
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=300) as http,
            mcp.Client(streamable_http_client(address, http_client=http)) as client,
        ):
            return await use(client)

    return anyio.run(talk)


def call(address, token, tool, **arguments):
    result = session(address, token, lambda client: client.call_tool(tool, arguments))
    return result.is_error, result.content[0].text


def test_an_agent_finds_describes_trusts_and_queries_a_product_as_its_person(agents_address, issue):
    token, _ = issue(OWNER, "metadata", "data")
    names = session(agents_address, token, lambda client: client.list_tools())
    assert sorted(tool.name for tool in names.tools) == TOOLS
    assert json.loads(call(agents_address, token, "search", words="temprature sensor")[1])["products"]
    described = json.loads(call(agents_address, token, "describe", product="readings")[1])
    assert "reading_id" in [column["name"] for column in described["data_sets"][0]["columns"]] and "promises" not in described
    trusted = json.loads(call(agents_address, token, "trust", product="readings")[1])
    assert trusted["health"]["status"] and trusted["promises"]
    failed, answer = call(agents_address, token, "query", sql="select distinct operator from readings.measurements")
    assert not failed and json.loads(answer)["rows"] == [["Ada"]]


def test_without_a_grant_or_a_scope_a_tool_says_what_to_ask_for(agents_address, issue):
    eve, _ = issue(EVE, "metadata", "data")
    failed, told = call(agents_address, eve, "query", sql="select distinct operator from readings.measurements")
    assert failed and "eve@example.com has no grant" in told and "Ada" not in told
    failed, told = call(agents_address, eve, "request_access", product="readings", role="analyst", purpose="A test")
    assert failed and "this token is for metadata, data, not for act" in told
    failed, told = call(agents_address, eve, "describe", product="reading")
    assert failed and "There is no product" in told and "readings" in told


def test_a_request_of_an_agent_stands_in_the_name_of_its_person(agents_address, issue, shop):
    eve, _ = issue(EVE, "act")
    plan, _ = read_plan(shop)
    role = plan.product("readings").offers.roles[0].role
    failed, told = call(agents_address, eve, "request_access", product="readings", role=role, purpose="How warm it gets")
    assert not failed, told
    assert json.loads(told)["decides"] == list(plan.product("readings").owners)


def test_nobody_talks_to_the_tools_without_a_token_that_holds(agents_address, issue, ledger):
    ended, made = issue(OWNER, "metadata")
    with ledger.writing() as connection:
        revoke_token(connection, made.id, None, NOW)
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    for token in ("", "mesh_wrong", ended):
        headers = {"accept": "application/json, text/event-stream", **({"authorization": f"Bearer {token}"} if token else {})}
        answer = httpx2.post(agents_address, json=body, headers=headers)
        assert answer.status_code == 401, answer.text


def test_a_page_of_another_site_reaches_no_tool(agents_address, issue):
    token, _ = issue(OWNER, "metadata")
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    headers = {"accept": "application/json, text/event-stream", "authorization": f"Bearer {token}"}
    for foreign in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
        assert httpx2.post(agents_address, json=body, headers=headers | foreign).status_code in (403, 421)


def test_an_agent_on_this_computer_talks_over_standard_input_and_output(shop):
    from mcp.client.stdio import StdioServerParameters

    command = StdioServerParameters(command=str(Path(sys.executable).with_name("mesh")), args=["--root", str(shop), "mcp", "--as", EVE])

    async def talk():
        async with mcp.Client(command) as client:
            found = await client.call_tool("search", {"words": "temperature"})
            refused = await client.call_tool("query", {"sql": "select operator from readings.measurements"})
            return found, refused

    found, refused = anyio.run(talk)
    assert json.loads(found.content[0].text)["products"]
    assert refused.is_error and "no grant" in refused.content[0].text
