"""The Python client, and what docs/api.md shows: every snippet is run, and the recorded session of an agent is played again."""

import contextlib
import io
import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from platform_resources.cli.serving import take_results
from platform_resources.client import Marketplace, MarketplaceRefused
from platform_resources.dbt.planning import read_plan
from platform_resources.marketplace.application import application
from platform_resources.marketplace.kept_view import opened_market
from platform_resources.marketplace.people.auth_settings import auth_settings
from platform_resources.mcp.serving_agents import with_agents
from platform_resources.services.access.tokens import WantedToken, new_token
from tests.marketplace.shop_mesh import NOW, opened_ledger, running
from tests.marketplace.test_agents import call
from tests.marketplace.test_people import BEHIND_PROXY

pytestmark = pytest.mark.slow
PAGE = (Path(__file__).parents[2] / "docs/api.md").read_text()
PORT = "plant/readings/measurements_file"


@pytest.fixture(scope="module")
def address(shop):
    app = application(opened_market(shop), watch=False, auth=auth_settings(BEHIND_PROXY), take=partial(take_results, shop))
    with running(with_agents(app)) as found:
        yield found


@pytest.fixture(scope="module")
def issue(shop):
    plan, ledger = read_plan(shop)[0], opened_ledger(shop)
    yield lambda person: new_token(
        ledger, plan, WantedToken(person, (), "a program", ("metadata", "data", "act"), NOW + timedelta(days=1)), NOW
    )[0]
    ledger.close()


def test_the_python_of_the_docs_runs_as_it_stands(address, issue, monkeypatch):
    monkeypatch.setenv("MESH_TOKEN", issue("plant-lead@example.com"))
    said, names = io.StringIO(), {"MARKET": address}
    for snippet in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        with contextlib.redirect_stdout(said):
            exec(snippet, names)
    first, second = said.getvalue().splitlines()
    assert first.endswith("['reading_id', 'sensor', 'degrees']") and int(first.split()[0]) > 50
    assert second == "407 [{'warmest': '24.00'}] use with care"


@pytest.mark.parametrize("command", re.findall(r"^    (curl .*)$", PAGE, re.MULTILINE))
def test_the_commands_of_the_docs_answer(address, issue, command, tmp_path):
    one = {"check": "sums agree", "product": "readings", "data_set": "measurements", "verdict": "met"}
    document = {"tool": "events", "project": "till", "at": datetime.now(UTC).isoformat(), "results": [one]}
    (tmp_path / "results.json").write_text(json.dumps(document))
    environment = {"MARKET": address, "MESH_TOKEN": issue("plant-lead@example.com"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    answer = json.loads(done.stdout)
    assert not answer.get("error") and any(answer.values()), answer


def at(answer, path):
    for name, place in re.findall(r"(\w+)|\[(\d+)\]", path):
        answer = answer[name] if name else answer[int(place)]
    return answer


def test_the_recorded_session_of_an_agent_says_what_the_tools_say(address, issue):
    token, answer = issue("plant-lead@example.com"), ""
    lines = re.search(r"<!-- session -->\n\n```text\n(.*?)```", PAGE, re.DOTALL).group(1).splitlines()
    for line in lines:
        if line.startswith("→ "):
            tool, _, arguments = line.removeprefix("→ ").partition(" ")
            failed, answer = call(f"{address}/mcp", token, tool, **json.loads(arguments))
        elif line.startswith("← error: "):
            assert failed and line.removeprefix("← error: ") in answer
        else:
            path, _, value = line.removeprefix("← ").partition(" = ")
            assert not failed and at(json.loads(answer), path) == json.loads(value), answer[:500]
    assert len(lines) >= 8


def test_the_client_reads_pages_of_one_version_and_tells_what_is_refused(address, issue):
    market = Marketplace(address, issue("plant-lead@example.com"))
    tables = list(market.pages(PORT, rows=200, sort=["-reading_id"], columns=["reading_id"]))
    assert [table.num_rows for table in tables] == [200, 200, 7]
    assert tables[0].column(0)[0].as_py() == 406
    for told, ask in {
        "no grant": lambda: Marketplace(address, issue("eve@example.com")).records(PORT),
        'did you mean "degrees"': lambda: market.records(PORT, where=["degres:ge:1"]),
        "not known": lambda: Marketplace(address, "mesh_wrong").get("products"),
        "does not answer": lambda: Marketplace("http://127.0.0.1:1").get("products"),
    }.items():
        with pytest.raises(MarketplaceRefused, match=told):
            ask()


def test_a_token_is_not_sent_where_others_could_read_it():
    with pytest.raises(ValueError, match="https only"):
        Marketplace("http://market.example.com", "mesh_x")
