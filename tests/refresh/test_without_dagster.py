"""A refresh by the services alone: no Dagster is imported, and it comes to the same as Dagster's."""

import json
import subprocess
import sys

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.payload import CheckSaid, from_metadata
from platform_resources.publications.consumer_queries import queried
from platform_resources.publications.published_versions import shelf
from tests.meshes import tiny_mesh
from tests.refresh.running import batch, deliver, environment, publish, running

ALONE = """
import json
import sys
from dataclasses import asdict
from pathlib import Path

from platform_resources.capabilities.registry import installed_registry
from platform_resources.dbt.planning import read_plan
from platform_resources.refresh.stages import PublishDone
from platform_resources.services.refreshes.check_records import check_records
from platform_resources.services.refreshes.execution import refresh_product

root, short_delivery = Path(sys.argv[1]), sys.argv[2]
plan = read_plan(root)[0]


def refreshed(name, run_id):
    product, results = plan.product(name), []
    done = refresh_product(root, root, product, installed_registry(), run_id, results.append)
    records = [record for result in results for record in check_records(result)]
    said = [[*record.check.key, record.check.name, record.said.verdict, record.said.value, record.said.failing_rows] for record in records]
    published = [result.publication for result in results if isinstance(result, PublishDone) and result.publication]
    return {
        "summary": asdict(done),
        "stages": [type(result).__name__ for result in results],
        "said": said,
        "rows": {port.port: port.rows for publication in published for port in publication.ports},
        "ending": results[-1].ending.last.outcome,
    }


results = [refreshed("readings", "first"), refreshed("summary", "second")]
(root / "dataproducts/plant/readings/landing/readings.csv").write_text(short_delivery)
results.append(refreshed("readings", "third"))
print(json.dumps({"results": results, "dagster": "dagster" in sys.modules}))
"""
SHORT_DELIVERY = batch(20, 2)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A mesh refreshed by the services in a process of its own, and what that process said.

    dbt was asked about its models before, as `mesh prepare` does: dagster-dbt is asked with it what Dagster's pages show.
    """
    root = tiny_mesh(tmp_path_factory.mktemp("alone") / "mesh")
    read_plan(root)
    command = [sys.executable, "-c", ALONE, str(root), SHORT_DELIVERY]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return root, json.loads(done.stdout)


@pytest.fixture(scope="module")
def by_dagster(refreshed_copy, tmp_path_factory):
    """The same mesh, refreshed through Dagster."""
    root = refreshed_copy("tiny", tiny_mesh, publish("readings", "summary"), tmp_path_factory.mktemp("by_dagster"))
    with running(root) as mesh:
        yield mesh


def checks_of(mesh, name):
    for check in mesh.product(name).checks:
        metadata = mesh.check(name, check.key[1:], check.name).metadata
        said = from_metadata(CheckSaid, {key: value.value for key, value in metadata.items()})
        yield [*check.key, check.name, said.verdict, said.value, said.failing_rows]


def test_no_dagster_is_imported(alone):
    assert alone[1]["dagster"] is False


@pytest.mark.parametrize(("number", "name"), enumerate(["readings", "summary"]))
def test_checks_say_the_same_as_through_dagster(alone, by_dagster, number, name):
    through_dagster = sorted((without_age(said) for said in checks_of(by_dagster, name)), key=str)
    assert len(through_dagster) > 3
    assert sorted((without_age(said) for said in alone[1]["results"][number]["said"]), key=str) == through_dagster


def without_age(said):
    """The age of what was just built is that of this refresh."""
    *names, verdict, value, failing_rows = said
    return [*names, verdict, None if "refreshed_daily" in names else value, failing_rows]


@pytest.mark.parametrize(("number", "name", "port"), [(0, "readings", "measurements_sql"), (1, "summary", "sensors_sql")])
def test_versions_hold_the_same_rows_as_through_dagster(alone, by_dagster, number, name, port):
    root, done = alone[0], alone[1]["results"][number]
    product, through_dagster = by_dagster.product(name), by_dagster.latest(name)
    publication = shelf(root, product.domain, name).latest()
    assert (publication.fingerprint, publication.run_id) == (through_dagster.fingerprint, ["first", "second"][number])
    assert done["rows"] == {port.port: port.rows for port in through_dagster.ports}
    columns = ", ".join(sorted(set(publication.port(port).columns) - {"processed_at"}))
    sql = f"select {columns} from {product.data_sets[0].name} order by all"
    assert queried(root, product.domain, name, sql)[1] == queried(by_dagster.root, product.domain, name, sql)[1]


@pytest.mark.parametrize(("number", "name"), enumerate(["readings", "summary"]))
def test_a_refresh_to_the_end_says_what_it_has_published(alone, number, name):
    done = alone[1]["results"][number]
    version = done["summary"]["version"]
    assert version is not None and done["summary"]["outcome"] == "published"
    assert done["stages"] == ["PullDone", "Built", "AuditDone", "PublishDone", "Scored"]
    assert done["ending"] == f"published version {version}"


def test_a_closed_gate_stops_it_as_it_stops_dagsters(alone, by_dagster):
    deliver(by_dagster.root, SHORT_DELIVERY)
    (through_dagster,) = by_dagster.refresh("readings")
    first, third = alone[1]["results"][0], alone[1]["results"][2]
    assert third["stages"][-1] == "AuditDone"
    assert third["summary"]["outcome"] == through_dagster.outcome == "gate closed"
    assert third["summary"]["reasons"] == list(through_dagster.reasons) != []
    assert third["summary"]["warnings"] == list(through_dagster.warnings)
    assert (third["summary"]["version"], third["summary"]["served"]) == (None, first["summary"]["version"])
    assert shelf(alone[0], "plant", "readings").latest().id == first["summary"]["version"]
