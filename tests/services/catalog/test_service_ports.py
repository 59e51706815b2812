"""A port of the interface `python-service` is described, watched and listed; the platform neither runs it nor writes anything for it."""

import pytest

from platform_resources.capabilities.registry import installed_registry
from platform_resources.contracts.planned_contract import contract_of
from platform_resources.contracts.structure_changes import structure_changes
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import open_ledger
from platform_resources.services.catalog.consumer_probes import probed_consumers
from platform_resources.services.judged_objectives import judged_objectives
from tests.marketplace.shop_mesh import NOW
from tests.meshes import component, edited, indented, product_file, tiny_mesh
from tests.services.catalog.test_consumer_probes import pages  # noqa: F401

FILE = product_file("plant", "readings")
PROMISE = component("Scores answer", "service-level-asset", "dimension: availability\nport: scores\nwithin: 5s")


def service(url):
    return component(
        "scores", "output-port", f"interface: python-service\ndata_set: measurements\nurl: {url}\ndescription: How likely a sensor fails."
    )


def mesh_with(folder, *components):
    added = indented("\n".join(components), 4).lstrip()
    return edited(tiny_mesh(folder), FILE, "    - name: Company use", f"    {added}\n    - name: Company use")


def planned(root):
    plan, problems = read_plan(root)
    assert problems == ()
    return plan


@pytest.mark.parametrize(
    ("path", "within", "verdict", "words"),
    [
        ("/200", "5s", "met", 'scores said "it answers, after '),
        ("/401", "5s", "met", 'scores said "it answers, and wants to know who asks, after '),
        ("/503", "5s", "missed", "scores could not be read: it answers with status 503; an answer within 5s promised"),
        ("/204", "1s", "missed", "scores could not be read: it did not answer in time; an answer within 1s promised"),
    ],
)
def test_it_is_watched_like_any_port(tmp_path, pages, path, within, verdict, words):  # noqa: F811
    root = mesh_with(tmp_path / "mesh", service(f"{pages}{path}"), PROMISE.replace("5s", within))
    plan, ledger = planned(root), open_ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    ((objective, judgement),) = judged_objectives(plan.products, installed_registry(), root, ledger, NOW)
    ledger.close()
    assert (objective.check.name, judgement.verdict) == ("scores_answer", verdict)
    assert judgement.reason.startswith(words)
    (asked,) = probed_consumers(plan.products, NOW)
    assert (asked.consumer, asked.answers) == ("scores", path != "/503"), "late is an answer to who promises no time"


def test_it_is_listed_and_nothing_is_published_for_it(tmp_path):
    product = planned(mesh_with(tmp_path, service("https://scores.example.com"))).product("readings")
    assert "scores" not in [port.name for port in product.outputs]
    (listed,) = [consumer for consumer in product.consumers if consumer.data_set]
    assert (listed.kind, listed.url, listed.data_set) == ("python-service", "https://scores.example.com", "measurements")
    assert {key[-1] for key in listed.dependencies} == {port.name for port in product.outputs if port.data_set == "measurements"}


def test_to_take_it_away_breaks_its_users(tmp_path):
    without, own = (
        contract_of(planned(mesh_with(tmp_path / str(len(added)), *added)).product("readings"), {})
        for added in ([], [service("https://scores.example.com")])
    )
    assert [(change.kind, change.port) for change in structure_changes(own, without)] == [("major", "scores")]


@pytest.mark.parametrize(
    ("components", "words"),
    [
        ([service("ftp://scores.example.com")], '"ftp://scores.example.com" is no address of the web'),
        (
            [service("https://scores.example.com"), component("How many", "sample-query", "port: scores\nsql: select 1")],
            "scores is a python-service, of which nobody can query rows",
        ),
    ],
)
def test_what_it_cannot_be_is_said(tmp_path, components, words):
    assert words in " ".join(problem.message for problem in read_plan(mesh_with(tmp_path, *components))[1])


def test_no_input_reads_it(tmp_path):
    root = mesh_with(tmp_path, service("https://scores.example.com"))
    edited(
        root,
        product_file("office", "summary"),
        "associated_output_port: readings.measurements_sql",
        "associated_output_port: readings.scores",
    )
    (problem,) = [problem for problem in read_plan(root)[1] if problem.severity == "error"]
    assert problem.message == "readings.scores is a python-service, which the platform does not run: it gives no rows to an input"
    assert problem.hint == "it has, with rows: measurements_file, measurements_sql"
