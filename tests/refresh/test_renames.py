"""A product, and parts of it, under new names: what was published, learned, granted and told goes on."""

import json
import shutil
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.people.checks import known_checks, register_checks
from platform_resources.ledger.people.subscriptions import subscribe, subscriptions
from platform_resources.ledger.queries.history import readings
from platform_resources.ledger.records import check_id
from platform_resources.ledger.syncing import rebuild
from platform_resources.orchestration.events.ledger_events import DagsterLog, synced_ledger
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.product_locks import locked, take_over_former
from platform_resources.warehouses.targets import warehouse
from tests.meshes import edited, product_file
from tests.refresh.running import CSV, mesh

NOW = datetime(2026, 12, 1, tzinfo=UTC)
FILE = product_file("plant", "loggers")
MODEL = "dbt_project/models/plant/loggers/measurements.sql"


def renamed(root):
    """`readings` is `loggers` now; a port, an input and an objective of it have new names too, and the summary says the old ones."""
    for folder in ("dataproducts/plant", "dbt_project/models/plant"):
        (root / folder / "readings").rename(root / folder / "loggers")
    for generated in (root / "dbt_project/models/plant/loggers").glob("_*.yml"):
        generated.unlink()
    edited(root, FILE, "name: readings\n", "name: loggers\n")
    edited(root, FILE, "title: Sensor readings", "title: Sensor readings\n        renamed_from: readings")
    edited(
        root,
        FILE,
        "name: deliveries\n      type: input-port\n      properties:",
        "name: files\n      type: input-port\n      properties:\n        renamed_from: deliveries",
    )
    edited(
        root,
        FILE,
        "name: measurements_file\n      type: output-port\n      properties:",
        "name: parquet\n      type: output-port\n      properties:\n        renamed_from: measurements_file",
    )
    edited(
        root,
        FILE,
        "name: Readings are never deleted\n      type: service-level-asset\n      properties:",
        "name: Readings stay\n      type: service-level-asset\n      properties:\n        renamed_from: Readings are never deleted",
    )
    edited(root, MODEL, "source('readings', 'deliveries')", "source('loggers', 'files')")


@pytest.mark.slow
def test_everything_goes_on_under_the_new_names(published):
    root, old_shelf = published.root, published.shelf("readings")
    (before,) = [each.id for each in old_shelf.published()]
    with synced_ledger(root, published.instance, NOW) as ledger:
        register_checks(ledger, published.plan, NOW)
        with ledger.writing() as connection:
            subscribe(connection, "readings", "ana", "ana@example.com", "high", NOW)
    renamed(root)
    plan, problems = read_plan(root)
    told = [str(problem) for problem in problems]
    assert [text for text in told if "readings.measurements_sql is called loggers.measurements_sql now, and is read as that" in text], told

    # The consumer still finds what it reads, before the product was refreshed under its new name, and after.
    (done,) = published.refresh("summary")
    assert done.outcome == "published", done.reasons
    edited(root, FILE, "name: operator,", "name: on_duty, renamed_from: operator,")
    edited(root, MODEL, "as operator", "as on_duty")
    plan = read_plan(root)[0]
    asked = json.loads(mesh(root, "refresh", "readings", "summary", "--json").stdout)
    assert [(done["product"], done["outcome"]) for done in asked] == [("loggers", "published"), ("summary", "published")]
    shelves = shelf(root, "plant", "loggers")
    versions = shelves.published()
    assert versions[0].id == before and len(versions) == 2
    assert {port.port for version in versions for port in version.ports} == {"measurements_sql", "parquet"}
    assert all(path.is_file() for version in versions for port in version.ports for path in shelves.where(port).files)
    assert list(shelves.pins()) == ["summary.measurements"]

    # Folders, files and SQL of the old names are read on, and see the new version.
    assert (root / "ports/plant/readings").is_symlink() and (root / "ports/plant/readings/measurements_file").is_dir()
    assert {version.id for version in versions} == {path.name for path in (root / "ports/plant/readings/measurements_file/v1").iterdir()}
    asked = mesh(root, "query", "readings", "select count(on_duty) as told from measurements", "--json")
    assert json.loads(asked.stdout) == [{"told": 3}], asked.stderr
    assert "readings is called loggers now" in asked.stderr
    assert not (root / "warehouse/plant/readings.duckdb").exists()
    with warehouse().opened(root, "plant", "loggers") as database:
        assert [
            row["table_name"] for row in database.rows("select table_name from information_schema.tables where table_schema = 'inputs'")
        ] == ["files"]
        assert list(database.remembered("pull")) == ["files"]

    def history(ledger):
        with ledger.reading() as connection:
            stay = check_id(("loggers", "measurements"), "readings_stay")
            profiled = "select distinct column_name from profiles where product = 'loggers' and column_name in ('operator', 'on_duty')"
            return {
                "verdicts": [each.verdict for each in readings(connection, stay, datetime(2020, 1, 1, tzinfo=UTC), NOW)],
                "checks": {check.product for check in known_checks(connection).values()},
                "subscribers": [each.subscriber for each in subscriptions(connection, "loggers")],
                "versions": connection.execute(
                    text("select count(*) from publications where product = 'loggers' and port = 'parquet'")
                ).scalar(),
                "profiled": connection.execute(text(profiled)).scalars().all(),
                "old": [
                    table
                    for table in (
                        "checks",
                        "publications",
                        "profiles",
                        "input_states",
                        "scorecards",
                        "runs",
                        "subscriptions",
                        "product_changes",
                    )
                    if table != "product_changes"
                    and connection.execute(text(f"select count(*) from {table} where product = 'readings'")).scalar()
                ],
            }

    expected = {
        "verdicts": ["met", "met"],
        "checks": {"loggers", "summary"},
        "subscribers": ["ana"],
        "versions": 2,
        "profiled": ["on_duty"],
        "old": [],
    }
    with synced_ledger(root, published.instance, NOW) as ledger:
        register_checks(ledger, plan, NOW)
        assert history(ledger) == expected
        register_checks(ledger, plan, NOW)
        assert history(ledger) == expected
        rebuild(ledger, DagsterLog(published.instance), NOW)
        register_checks(ledger, plan, NOW)
        assert history(ledger) == expected
    assert published.health("loggers", datetime.now(UTC)).status == "healthy"


@pytest.mark.slow
def test_what_a_kill_left_half_taken_over_is_finished(published):
    root = published.root
    product = published.product("readings")
    renamed(root)
    plan = read_plan(root)[0]
    # As after a kill behind the first step, with what was committed last in the file beside the database alone.
    (root / "warehouse/plant/readings.duckdb").rename(root / "warehouse/plant/loggers.duckdb")
    (root / "warehouse/plant/readings.duckdb.wal").write_bytes(b"")
    locked(root, plan.product("loggers"), 1).release()
    assert sorted(path.name for path in (root / "warehouse/plant").glob("*.duckdb*")) == ["loggers.duckdb", "loggers.duckdb.wal"]
    assert len(shelf(root, "plant", "loggers").published()) == 1
    assert not (root / f"ports/plant/{product.name}/by-role").is_symlink()
    shutil.rmtree(root / "ports/plant/loggers")
    locked(root, plan.product("loggers"), 1).release()
    assert not shelf(root, "plant", "loggers").was_published()


@pytest.mark.slow
@pytest.mark.parametrize("begins", ["its refresh", "an evaluation"])
def test_a_new_product_of_a_former_name_has_nothing_of_the_one_that_was_called_so(published, begins):
    """The folder of the former name still leads to the renamed product's, which reads on what it has."""
    root = published.root
    (root / "ports/plant/readings").rename(root / "ports/plant/loggers")
    (root / "ports/plant/readings").symlink_to("loggers", target_is_directory=True)
    (root / "warehouse/plant/readings.duckdb").rename(root / "warehouse/plant/loggers.duckdb")
    before = shelf(root, "plant", "loggers").published()
    if begins == "an evaluation":
        take_over_former(root, published.plan.products)
        assert not shelf(root, "plant", "readings").was_published()
    assert published.refresh("readings")[0].outcome == "published"
    (new,) = shelf(root, "plant", "readings").published()
    assert shelf(root, "plant", "loggers").published() == before and new not in before


@pytest.mark.slow
def test_what_a_renamed_consumer_has_pinned_stays_until_it_takes_the_pin_over(published):
    root, upstream = published.root, published.shelf("readings")
    for folder in ("dataproducts/office", "dbt_project/models/office"):
        (root / folder / "summary").rename(root / folder / "reports")
    spec = product_file("office", "reports")
    edited(root, spec, "name: summary\n", "name: reports\n")

    def pins_after_another_version(reading):
        with (root / CSV).open("a") as file:
            file.write(f"{reading},north,1.00,2024-06-01 08:00:00,Ben\n")
        assert published.refresh("readings")[0].outcome == "published"
        return list(upstream.pins())

    written = (root / spec).read_text()
    (root / spec).write_text(
        written.replace("type: data-product\n      properties:\n", "type: data-product\n      properties:\n        renamed_from: summary\n")
    )
    assert pins_after_another_version(6) == ["summary.measurements"]
    (root / spec).write_text(written)
    assert pins_after_another_version(7) == []


@pytest.mark.slow
def test_a_link_that_the_platform_has_not_made_stays(published, tmp_path):
    kept = published.root / "ports/plant/readings"
    kept.rename(tmp_path / "elsewhere")
    kept.symlink_to(tmp_path / "elsewhere")
    take_over_former(published.root, published.plan.products)
    locked(published.root, published.product("readings"), 1).release()
    assert kept.is_symlink() and len(shelf(published.root, "plant", "readings").published()) == 1


@pytest.mark.slow
def test_a_renamed_data_set_is_read_under_its_new_name_in_every_version(published):
    root, spec = published.root, product_file("plant", "readings")
    (before,) = published.shelf("readings").published()
    assert {port.data_set for port in before.ports} == {"measurements"}
    edited(
        root,
        spec,
        "name: measurements\n      type: data-set\n      properties:",
        "name: lines\n      type: data-set\n      properties:\n        renamed_from: measurements\n        model: measurements",
    )
    written = (root / spec).read_text()
    (root / spec).write_text(written.replace("data_set: measurements", "data_set: lines").replace("from measurements", "from lines"))
    assert [done.outcome for done in published.refresh("readings", "summary")] == ["published", "published"]
    versions = published.shelf("readings").published()
    assert [{port.data_set for port in version.ports} for version in versions] == [{"lines"}, {"lines"}]
    for version in versions:
        answer = mesh(root, "query", "readings", "select count(*) as told from lines", "--version", version.id, "--json")
        assert json.loads(answer.stdout) == [{"told": 4}], answer.stderr
    with synced_ledger(root, published.instance, NOW) as ledger:
        register_checks(ledger, published.plan, NOW)
        with ledger.reading() as connection:
            assert connection.execute(text("select distinct data_set from profiles where product = 'readings'")).scalars().all() == [
                "lines"
            ]
