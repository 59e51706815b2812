"""Sources that a domain declares once: pulled once for all products that read the same of them, and nothing is lost when a pull is killed."""

import os
import signal
from datetime import timedelta

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.refresh.sources import shared_pulls
from platform_resources.refresh.sources.pull_records import PullFailed
from platform_resources.spec.problems import errors, problems_text
from platform_resources.warehouses.duckdb.product_database import opened
from tests.capabilities.test_rest_rows import server  # noqa: F401
from tests.meshes import MEASUREMENTS_SQL, READINGS, edited, model_file, product_file
from tests.refresh.test_pulling import NOW, Pulling

PORT = "interface: file\n        path: landing/readings.csv"
SHARED = "interface: source\n        source: support\n        read: {records: items}"
SOURCE = "sources:\n  support: {interface: rest, url: 'http://127.0.0.1:PORT/whole', pagination: none, every: 30m}\n"


def two_readers(root, url_port=1, shared=SHARED):
    """The tiny mesh with a second product that reads the same source."""
    (root / "dataproducts/plant/copies").mkdir()
    (root / "dataproducts/plant/copies/README.md").write_text("# When it breaks\n")
    (root / model_file("plant", "copies", "copied")).parent.mkdir()
    (root / model_file("plant", "copies", "copied")).write_text(MEASUREMENTS_SQL.replace("readings", "copies"))
    (root / product_file("plant", "copies")).write_text(READINGS.replace("readings", "copies").replace("measurements", "copied"))
    for name in ("readings", "copies"):
        text = (root / product_file("plant", name)).read_text()
        (root / product_file("plant", name)).write_text(text.replace(PORT.replace("readings", name), shared).replace(PORT, shared))
    with (root / "dataproducts/plant/domain.yaml").open("a") as domain:
        domain.write(SOURCE.replace("PORT", str(url_port)))


@pytest.fixture
def pulled(tiny, server):  # noqa: F811
    """Pulls of either product at so many minutes: what its input holds, and how often the server was asked by then."""
    two_readers(tiny, server.server_port, SHARED.replace("records: items", "records: data.items"))

    def pull(name, minutes=0):
        with opened(tiny / f"warehouse/plant/{name}.duckdb") as database:
            pulling = Pulling(tiny, name, database)
            found = pulling.pull(NOW + timedelta(minutes=minutes))
            return found, [row[0] for row in pulling.rows("select id from {} order by 1")], len(server.asked)

    return pull


@pytest.mark.slow
def test_products_that_read_the_same_pull_it_once_until_it_is_older_than_the_source_says(pulled, server):  # noqa: F811
    first, ids, asked = pulled("readings")
    assert (ids, asked, first.changed) == (list(range(8)), 1, True)
    server.records = server.records[:3]
    second, ids, asked = pulled("copies", 29)
    assert (ids, asked, second.record["pull"]) == (list(range(8)), 1, first.record["pull"])
    assert second.record == first.record | {"source": "plant.support"}
    assert (pulled("readings", 29)[0].changed, pulled("readings", 29)[2]) == (False, 1)
    third, ids, asked = pulled("copies", 30)
    assert (ids, asked, third.changed) == ([0, 1, 2], 2, True)


@pytest.mark.slow
def test_a_source_that_fails_is_told_and_the_last_good_rows_are_served(pulled, server):  # noqa: F811
    pulled("readings")
    server.trouble = [(404, {})]
    found, ids, _ = pulled("readings", 31)
    assert ids == list(range(8)) and "source support: interface rest failed" in found.failures["arrived"]
    server.trouble = [(404, {})]
    with pytest.raises(PullFailed, match="source support"):
        pulled("copies", 31)


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["before its file is named", "before it is the newest"])
def test_a_pull_that_is_killed_leaves_the_former_rows_and_is_done_again(pulled, server, monkeypatch, stage):  # noqa: F811
    pulled("readings")
    server.records = [*server.records, {"id": 8, "name": "n8"}]
    if not (child := os.fork()):
        left = iter(range(0 if stage == "before its file is named" else 1))
        real = os.replace

        def dying(source, target):
            if "sources" in str(target) and next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            real(source, target)

        monkeypatch.setattr(shared_pulls.os, "replace", dying)
        pulled("readings", 31)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert pulled("copies", 29)[1] == list(range(8))
    assert pulled("copies", 32)[1] == pulled("readings", 32)[1] == list(range(9))


WRONG = {
    "no such source": (SHARED.replace("support", "suport"), SOURCE, 'no source "suport" in domain.yaml of plant; known: support'),
    "no such field": (SHARED.replace("records", "recrods"), SOURCE, "the source and the port together are no input by rest: recrods"),
    "no such interface": (SHARED, SOURCE.replace("rest", "soap"), 'unknown interface "soap"; known: '),
    "files": (SHARED, "sources: {support: {interface: file, path: a.csv}}\n", "a source with interface: file is not shared"),
    "a secret": (SHARED, SOURCE.replace("PORT/whole", "1/?token=abc"), "the URL holds what looks like a secret in token="),
}


@pytest.mark.parametrize(("shared", "source", "said"), WRONG.values(), ids=WRONG)
def test_a_source_that_nobody_could_read_is_a_problem(tiny, shared, source, said):
    edited(tiny, product_file("plant", "readings"), PORT, shared)
    with (tiny / "dataproducts/plant/domain.yaml").open("a") as domain:
        domain.write(source.replace("PORT", "1"))
    assert said in problems_text(read_plan(tiny)[1])


TOPIC = "kafka, servers: broker:9092, topic: shop"
TABLE = "sql-database, url: 'postgresql://db/shop', table: orders"
KEPT_HERE = {
    "a topic": (TOPIC, "", False),
    "a table with a cursor": (TABLE, "read: {cursor: changed_at, key: [id], deletes: none}", False),
    "a table that is read whole": (TABLE, "", True),
}


@pytest.mark.parametrize(("source", "read", "taken"), KEPT_HERE.values(), ids=KEPT_HERE)
def test_a_source_that_is_read_on_is_shared_on_one_machine_alone(tiny, monkeypatch, source, read, taken):
    edited(tiny, product_file("plant", "readings"), PORT, f"interface: source\n        source: support\n        {read}")
    with (tiny / "dataproducts/plant/domain.yaml").open("a") as domain:
        domain.write(f"sources:\n  support: {{interface: {source}}}\n")
    assert errors(read_plan(tiny)[1]) == ()
    monkeypatch.setenv("MESH_STORE", "s3://mesh/prod")
    refused = errors(read_plan(tiny)[1])
    assert ([rejected.name for rejected in read_plan(tiny)[0].rejected] == []) is taken
    said = '"support" is read on from where the last pull ended, and MESH_STORE has each machine pull for itself'
    assert [said in problem.message for problem in refused] == ([] if taken else [True])
    edited(tiny, product_file("plant", "readings"), f"source\n        source: support\n        {read}", source.replace(", ", "\n        "))
    assert errors(read_plan(tiny)[1]) == (), "an input port of one product goes on from the product's own database"


@pytest.mark.slow
def test_a_product_never_goes_back_to_what_a_machine_had_pulled_before(tiny, pulled, server):  # noqa: F811
    """Two machines have pulled the same source at different times, and the product's database comes from the other one."""
    pulled("readings")
    (tiny / "sources").rename(tiny / "sources of this machine")
    server.records = server.records[:3]
    assert pulled("readings", 10)[1] == [0, 1, 2]
    (tiny / "sources").rename(tiny / "sources of the other machine")
    (tiny / "sources of this machine").rename(tiny / "sources")
    assert pulled("readings", 11)[1] == [0, 1, 2]
