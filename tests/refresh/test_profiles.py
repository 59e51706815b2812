"""Profiles of published versions, from the audit to the ledger and `mesh profile`; and audits that scan changed days only."""

from datetime import UTC, datetime

import pytest

from platform_resources.ledger.queries.profile_history import profiled_version, profiled_versions
from platform_resources.ledger.syncing import rebuild
from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.events.ledger_events import DagsterLog, synced_ledger
from platform_resources.warehouses.duckdb.product_database import opened
from tests.ledger.ledgers import rows
from tests.meshes import edited, product_file
from tests.refresh.running import deliver, mesh, mesh_json, readings_csv

pytestmark = pytest.mark.slow
SPEC = product_file("plant", "readings")
MORE = readings_csv([(1, "north", 20), (2, "south", 19), (3, "north", 21), (4, "south", 18), (5, "south", 100)])


def port_metadata(running, port):
    event = running.instance.get_latest_materialization_event(asset_key(("readings", "outputs", port)))
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def shown_on_data_set(running):
    event = running.instance.get_latest_materialization_event(asset_key(("readings", "measurements")))
    return event.asset_materialization.metadata["profile_table"].value


def columns(metadata):
    return {column["name"]: column for column in metadata["profile"]["columns"]}


def test_a_published_version_has_a_profile_and_no_personal_value_is_in_it(published):
    found = port_metadata(published, "measurements_sql")
    degrees, operator = columns(found)["degrees"], columns(found)["operator"]
    assert (degrees["rows"], degrees["nulls"], degrees["minimum"], degrees["maximum"]) == (4, 1, 19, 21.25)
    assert operator == {"rows": 4, "sampled": 4, "name": "operator", "type": "varchar", "nulls": 1, "distinct": 2, "hidden": True}
    assert "Ada" not in str(found) and "Ben" not in found["profile_table"]
    assert "profile" not in port_metadata(published, "measurements_file")
    assert shown_on_data_set(published) == found["profile_table"]
    assert found["profile_table"].startswith("4 rows, all of them looked at\n\n| column | type | nulls |")


def test_the_next_version_is_compared_with_the_one_before(published):
    deliver(published.root, MORE)
    published.refresh("readings")
    found = port_metadata(published, "measurements_sql")["profile_table"]
    (degrees,) = [line for line in found.splitlines() if line.startswith("| degrees")]
    assert "nulls 25.0 % -> 0.0 %" in degrees and "greatest 21.25 -> 100" in degrees


def test_a_candidate_that_was_not_published_is_not_what_is_compared_with(published):
    deliver(published.root, readings_csv([(1, "north", 99)]))
    assert published.refresh("readings")[0].outcome == "gate closed"
    deliver(published.root, MORE)
    published.refresh("readings")
    assert "greatest 21.25 -> 100" in port_metadata(published, "measurements_sql")["profile_table"]


def test_the_ledger_has_every_version_and_is_the_same_when_it_is_rebuilt(published):
    first = published.latest("readings").id
    deliver(published.root, MORE)
    second = published.refresh("readings")[0].version
    with synced_ledger(published.root, published.instance, datetime.now(UTC)) as ledger:
        with ledger.reading() as connection:
            assert profiled_versions(connection, "readings", "measurements") == (second, first)
            assert profiled_version(connection, "readings", "measurements", first).profile.rows == 4
        before = rows(ledger)
        rebuild(ledger, DagsterLog(published.instance), datetime.now(UTC))
        assert rows(ledger)["profiles"] == before["profiles"] and len(before["profiles"]) == 2 * 6 + 3, (
            "columns of readings, twice, and of summary"
        )


def test_a_data_set_may_go_without_a_profile(running_mesh):
    edited(running_mesh.root, SPEC, "primary_key: [reading_id]", "primary_key: [reading_id]\n        profile: false")
    assert running_mesh.refresh("readings")[0].outcome == "published"
    assert "profile" not in port_metadata(running_mesh, "measurements_sql")


def test_a_version_that_no_audit_has_profiled_is_profiled_when_it_is_published(published):
    product = published.product("readings")
    with opened(published.root / f"warehouse/{product.domain}/readings.duckdb") as database:
        database.execute("delete from main.mesh_memory where topic = 'profile'")
    published.materialised("readings", "publish")
    assert columns(port_metadata(published, "measurements_sql"))["degrees"]["maximum"] == 21.25


def test_mesh_profile_says_when_there_is_none_yet(tiny):
    told = mesh(tiny, "profile", "readings")
    assert (told.returncode, told.stderr.strip()) == (
        3,
        "readings has no profile yet: each refresh that publishes makes one, unless its data sets say `profile: false`",
    )


def test_mesh_profile_shows_the_newest_version_beside_the_one_before(published):
    deliver(published.root, MORE)
    assert mesh(published.root, "refresh", "readings").returncode == 0
    shown = mesh(published.root, "profile", "readings").stdout
    (found,) = mesh_json(published.root, "profile", "readings", "measurements")
    assert f"measurements, version {found['version']}: 5 rows, all of them looked at\n" in shown
    assert f"Since version {found['version_before']}\n" in shown and "  degrees: nulls 25.0 % -> 0.0 %; distinct 3 -> 5; mean" in shown
    assert (found["data_set"], found["rows"], found["exact"]) == ("measurements", 5, True)
    words = "nulls 25.0 % -> 0.0 %; distinct 3 -> 5; mean 20.25 -> 35.6; least 19 -> 18; greatest 21.25 -> 100"
    assert {"column": "degrees", "words": words} in found["differences"]
    (first,) = mesh_json(published.root, "profile", "readings", "--version", found["version_before"])
    assert (first["rows"], first["version_before"], first["differences"]) == (4, None, [])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("elsewhere",), 'readings has no profile of a data set "elsewhere"; known: measurements'),
        (("--version", "v0"), "readings has no profile of version v0; `mesh versions readings` lists what was published"),
    ],
)
def test_mesh_profile_says_what_there_is_instead(published, arguments, told):
    done = mesh(published.root, "profile", "readings", *arguments)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (3, told)


def test_an_audit_by_day_comes_to_the_same_verdicts(running_mesh):
    edited(running_mesh.root, SPEC, "primary_key: [reading_id]", "primary_key: [reading_id]\n        partition_by: measured_at")
    product = running_mesh.product("readings")
    verdicts = []
    for degrees in (20, 21):
        deliver(running_mesh.root, readings_csv([(n, "north", degrees) for n in range(1, 6)]))
        assert running_mesh.refresh("readings")[0].outcome == "published"
        check = running_mesh.check("readings", ("measurements",), "most_readings_have_a_temperature")
        verdicts.append((check.passed, check.metadata["reason"].value))
    assert verdicts[0] == verdicts[1] and verdicts[0][0]
    with opened(running_mesh.root / f"warehouse/{product.domain}/readings.duckdb") as database:
        assert database.execute("select count(*), sum(row_count) from main.mesh_days_internal_measurements") == (1, 5)


def test_a_limit_that_cannot_be_read_is_told_in_words(tiny):
    done = mesh(tiny, "refresh", "readings", MESH_MEMORY_LIMIT="much")
    assert done.returncode == 3
    assert 'MESH_MEMORY_LIMIT is "much"; write a size such as 4GB' in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
