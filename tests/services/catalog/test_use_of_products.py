"""The use of products as the ledger knows it: rankings, what is also read, scores, candidates."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.queries.evidence import evidence_of
from platform_resources.ledger.queries.reads import record_read
from platform_resources.ledger.records import InputState, PortPublication
from platform_resources.ledger.writing import write
from platform_resources.services.catalog.use_of_products import also_read, candidates, mesh_use, most_used, newly_published
from tests.meshes import component, model_file, product_file, product_yaml, tiny_mesh, write_mesh

pytestmark = pytest.mark.slow
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def read(ledger, *reads):
    with ledger.writing() as connection:
        for product, reader, ago in reads:
            record_read(connection, product, "port", reader, NOW - ago, "query")


def pulled(at, degraded=""):
    return InputState("summary", "measurements", at, f"run {at}", True, degraded, "v1", 3, {}, 1)


def published(product, at):
    return PortPublication(product, "port", f"{at}", at, "1.0.0", None, 1, 1, {}, f"run {at}", 1)


def used(ledger, plan):
    with ledger.reading() as connection:
        return mesh_use(connection, plan, NOW, evidence_of(connection, plan.products, NOW))


def test_the_most_used_is_what_was_read_most_by_people_and_products(ledger, plan):
    read(
        ledger, ("stock", "ada", DAY), ("stock", "ada", DAY), ("summary", "ben", DAY), ("summary", "ada", DAY), ("summary", "ada", 31 * DAY)
    )
    with ledger.writing() as connection:
        write(connection, [pulled(NOW - n * DAY) for n in (1, 2, 3)] + [pulled(NOW - 4 * DAY, "it did not come")])
    known = used(ledger, plan)
    assert most_used(known) == ("readings", "summary", "stock"), "of as many reads, more readers count more"
    assert (known.uses["readings"].products, known.uses["readings"].people) == ({"summary": 3}, {})
    assert known.uses["stock"].users == 1 and known.uses["stock"].last_read_at == NOW - DAY
    assert most_used(known, most=1) == ("readings",)


def test_nothing_read_is_ranked_nowhere_and_scores_0(ledger, plan):
    known = used(ledger, plan)
    assert most_used(known) == () and also_read(known, "stock") == ()
    assert {score.score for score in known.scores.values()} == {0}


def test_what_readers_of_a_product_read_as_well(ledger, plan):
    read(
        ledger,
        *(
            (product, reader, DAY)
            for product, reader in [
                ("stock", "ada"),
                ("stock", "ben"),
                ("summary", "ada"),
                ("summary", "ben"),
                ("readings", "ben"),
                ("readings", "eve"),
            ]
        ),
    )
    assert [(common.product, common.readers) for common in also_read(used(ledger, plan), "stock")] == [("summary", 2), ("readings", 1)]


def test_the_newest_is_what_published_its_first_version_last(ledger, plan):
    with ledger.writing() as connection:
        write(
            connection,
            [published("stock", NOW - 2 * DAY), published("readings", NOW - 9 * DAY), published("readings", NOW), published("gone", NOW)],
        )
    assert newly_published(used(ledger, plan)) == (("stock", NOW - 2 * DAY), ("readings", NOW - 9 * DAY))


def test_the_score_has_downstream_products_consumers_and_updates(ledger, plan):
    read(ledger, ("readings", "ada", DAY), ("stock", "ada", DAY))
    with ledger.writing() as connection:
        write(connection, [published("readings", NOW - n * DAY) for n in range(10)])
    scores = used(ledger, plan).scores
    assert (scores["readings"].downstream, scores["readings"].updates) == (25, 15)
    assert (scores["stock"].downstream, scores["stock"].updates) == (0, 0)
    assert scores["readings"].score == 100 and scores["stock"].score == 60


def test_candidates_are_what_several_models_or_products_build_on(ledger, tmp_path):
    root = tiny_mesh(tmp_path)
    for name in ("one", "two"):
        write_mesh(root, {model_file("office", "summary", name): "select * from {{ ref('sensor_readings') }}"})
    loads = component("deliveries", "input-port", "interface: file\npath: /landing/rows.csv\ndescription: The same.")
    for name in ("left", "right"):
        text = product_yaml(
            name,
            "plant",
            loads,
            component(
                f"{name}_rows",
                "data-set",
                "description: Rows.\nprimary_key: [n]\ncolumns:\n  - {name: n, type: bigint, description: A number.}",
            ),
            title=name,
            description=name,
            owners="{business: a@example.com, technical: team:b}",
        )
        write_mesh(
            root,
            {
                product_file("plant", name): text,
                model_file("plant", name, f"{name}_rows"): "select 1 as n",
            },
        )
    read(ledger, ("left", "ada", DAY))
    found = candidates(used(ledger, read_plan(root)[0]))
    (model,) = [each for each in found if each.kind == "internal model"]
    assert (model.product, model.name, model.used_by) == ("summary", "sensor_readings", ("one", "sensors", "two"))
    assert [each.cumulated for each in found] == sorted(each.cumulated for each in found) and found[-1].cumulated == pytest.approx(1)
    assert sum(each.share for each in found) == pytest.approx(1)
    assert model.share == model.cumulated == max(each.share for each in found), "the most used comes first"
    (source,) = [each for each in found if each.kind == "source"]
    assert (source.name, source.used_by, source.reads) == ("deliveries", ("left", "right"), 1)
