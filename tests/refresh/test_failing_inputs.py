"""Inputs that fail: what is served, what is told, and when nothing new is published."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from platform_resources.ledger.queries.history import publications
from platform_resources.ledger.queries.objective_history import publication_times
from platform_resources.ledger.syncing import sync
from platform_resources.orchestration.asset_specs import asset_key
from platform_resources.orchestration.automation import decision, follower, seen_by
from platform_resources.orchestration.events.ledger_events import DagsterLog
from tests.ledger.ledgers import SqliteLedgers
from tests.meshes import edited, model_file, product_file
from tests.refresh.running import CSV, batch, deliver, mesh

pytestmark = pytest.mark.slow
READINGS = product_file("plant", "readings")
SUMMARY = product_file("office", "summary")
MEASUREMENTS = model_file("plant", "readings", "measurements")
PATH = "path: landing/readings.csv\n"
ACCEPTED = f"{PATH}        max_staleness: 48h\n"
FAILS = f"{PATH}        on_failure: fail\n"


EXTRACTOR = """
def delivered(e):
    if (e.folder / "down").exists():
        raise TimeoutError("logger 7 does not answer")
    return e.connection.read_csv(str(e.folder / "landing/readings.csv"))
"""


def test_a_version_says_what_it_was_made_from(published):
    readings, summary = published.latest("readings"), published.latest("summary")
    assert [os.path.basename(file["path"]) for file in readings.inputs["deliveries"]["files"]] == ["readings.csv"]
    assert summary.inputs["measurements"]["version"] == readings.id
    deliver(published.root, batch(1, 9))
    published.refresh("readings")
    assert published.latest("summary").inputs["measurements"]["version"] == readings.id
    published.refresh("summary")
    assert published.latest("summary").inputs["measurements"]["version"] == published.latest("readings").id
    assert published.shelf("readings").pins() == {"summary.measurements": published.latest("readings").id}


def test_a_file_that_does_not_come_leaves_the_last_version_and_warns(published):
    before = published.latest("readings")
    (published.root / CSV).unlink()
    (done,) = published.refresh("readings")
    assert (done.outcome, done.version) == ("unchanged", None)
    assert len(done.warnings) == 1
    assert done.warnings[0].startswith("Input deliveries arrived: no file matches landing/readings.csv; the last good one of ")
    assert published.latest("readings") == before
    check = published.check("readings", ("inputs", "deliveries"), "arrived")
    assert (check.passed, check.severity.value) == (False, "WARN")
    assert published.scorecard("readings")["outcome"].startswith("not published, nothing changed: input port deliveries: no file")
    assert published.rows("readings", "select count(*) from measurements") == [(4,)]
    (published.root / MEASUREMENTS).write_text("select 1 as nothing\n")
    (failed,) = published.refresh("readings")
    assert (failed.outcome, len(failed.reasons), failed.warnings) == ("failed", 2, ()), failed
    assert failed.reasons[0].startswith("Input deliveries arrived: no file"), "what failed first is told first"


def test_a_change_of_the_code_is_published_on_the_last_good_input(published):
    (published.root / CSV).unlink()
    edited(published.root, MEASUREMENTS, "from {{ source", "-- the same\nfrom {{ source")
    (done,) = published.refresh("readings")
    assert done.outcome == "published"
    assert published.latest("readings").ports[0].rows == 4


def test_with_on_failure_fail_the_refresh_fails_and_the_last_version_stays(published):
    before = published.latest("readings")
    edited(published.root, READINGS, PATH, FAILS)
    (published.root / CSV).unlink()
    (done,) = published.refresh("readings")
    assert (done.outcome, done.reasons) == ("failed", ("input port deliveries: no file matches landing/readings.csv",))
    assert published.latest("readings") == before
    assert published.check("readings", ("inputs", "deliveries"), "arrived").severity.value == "ERROR"
    assert published.scorecard("readings")["outcome"] == "not published: input port deliveries: no file matches landing/readings.csv"


def test_a_first_input_that_does_not_come_fails_with_a_reason(running_mesh):
    (running_mesh.root / CSV).unlink()
    readings, summary = running_mesh.refresh("readings", "summary")
    assert (readings.outcome, summary.outcome) == ("failed", "failed")
    assert readings.reasons == ("input port deliveries: no file matches landing/readings.csv",)
    assert summary.reasons[0].startswith("input port measurements: readings has not published a version within ^1")


def test_an_upstream_that_breaks_its_contract_leaves_the_former_pin(published):
    first = published.latest("readings")
    edited(published.root, READINGS, 'name: degrees, type: "decimal(6,2)"', 'name: degrees, type: "decimal(8,2)"')
    for _ in range(2):
        (done,) = published.refresh("summary")
        assert done.outcome == "unchanged"
        assert done.warnings[0].startswith("Input measurements keeps its contract: version ")
        assert "degrees is decimal(6,2), decimal(8,2) was promised" in done.warnings[0]
    assert published.check("summary", ("inputs", "measurements"), "arrived").passed
    assert published.shelf("readings").pins() == {"summary.measurements": first.id}
    edited(published.root, MEASUREMENTS, "decimal(6, 2)", "decimal(8, 2)")
    assert [done.outcome for done in published.refresh("readings")] == ["published"]
    assert published.refresh("summary")[0].warnings == ()


def test_an_upstream_that_takes_a_column_away_breaks_the_build_and_not_the_product(published):
    """Spec and SQL of the upstream agree, so no contract is broken; what is missed is told where it is missed."""
    before = published.latest("summary")
    edited(published.root, READINGS, "name: degrees, type", "name: celsius, type")
    edited(published.root, READINGS, "columns: [degrees]", "columns: [celsius]")
    edited(published.root, READINGS, "order by degrees", "order by celsius")
    edited(published.root, MEASUREMENTS, "as degrees", "as celsius")
    assert [done.outcome for done in published.refresh("readings")] == ["published"]
    (done,) = published.refresh("summary")
    assert done.outcome == "failed"
    assert "degrees" in done.reasons[0]
    assert published.latest("summary") == before
    assert len(published.rows("summary", "select * from sensors")) == 2


def test_an_upstream_of_a_new_major_version_leaves_the_consumer_on_the_former(published):
    first = published.latest("readings")
    edited(published.root, READINGS, "version: 1.1.0", "version: 2.0.0")
    published.refresh("readings")
    (done,) = published.refresh("summary")
    assert done.outcome in ("published", "unchanged")
    assert published.latest("summary").inputs["measurements"]["version"] == first.id
    assert mesh(published.root, "query", "summary", "select 1").returncode == 0


def test_a_typo_in_the_upstreams_document_leaves_its_consumers_with_what_they_have(published):
    """Whether they may read what is new cannot be told meanwhile."""
    first, shelf = published.latest("readings"), published.shelf("readings")
    edited(published.root, READINGS, "lifecycle: production", "lifecycle: prodution")
    (done,) = published.refresh("summary")
    assert done.outcome == "unchanged"
    assert "the product.yaml of readings does not tell now what it offers to domain office; the last good one of" in done.warnings[0]
    assert published.latest("summary").inputs["measurements"]["version"] == first.id
    assert shelf.pins() == {"summary.measurements": first.id}


def test_an_input_older_than_accepted_is_served_and_told(published):
    """The file of the product readings was written three days ago and has not changed since."""
    edited(published.root, READINGS, PATH, ACCEPTED)
    deliver(published.root, batch(1, 9))
    old = (datetime.now(UTC) - timedelta(days=3)).timestamp()
    os.utime(published.root / CSV, (old, old))
    (first,) = published.refresh("readings")
    assert first.outcome == "published", "something changed"
    (second,) = published.refresh("readings")
    assert (second.outcome, second.version) == ("unchanged", None)
    assert second.warnings[0].startswith("Input deliveries is fresh: its data is 3 days 1 h old")
    assert published.check("readings", ("inputs", "deliveries"), "fresh").metadata["verdict"].value == "missed"
    assert published.check("readings", ("inputs", "deliveries"), "arrived").passed


def test_with_on_failure_fail_an_old_input_fails_the_refresh_by_its_own_check(published):
    edited(published.root, READINGS, PATH, f"{ACCEPTED}        on_failure: fail\n")
    old = (datetime.now(UTC) - timedelta(days=3)).timestamp()
    os.utime(published.root / CSV, (old, old))
    (done,) = published.refresh("readings")
    assert done.outcome == "failed"
    assert done.reasons[0].startswith("input port deliveries: its data is 3 days 1 h old")
    assert not published.check("readings", ("inputs", "deliveries"), "fresh").passed
    assert published.check("readings", ("inputs", "deliveries"), "arrived").passed


@pytest.mark.parametrize("fails", [False, True])
def test_an_extractor_that_raises_is_told_in_its_own_words(running_mesh, fails):
    root = running_mesh.root
    edited(
        root, READINGS, "interface: file\n        path: landing/readings.csv", 'interface: python\n        extractor: "extract:delivered"'
    )
    folder = root / "dataproducts/plant/readings"
    (folder / "extract.py").write_text(EXTRACTOR)
    if fails:
        edited(root, READINGS, "interface: python\n", "interface: python\n        on_failure: fail\n")
    assert running_mesh.refresh("readings")[0].outcome == "published"
    (folder / "down").touch()
    (done,) = running_mesh.refresh("readings")
    told = "extractor extract:delivered failed: TimeoutError: logger 7 does not answer"
    if fails:
        assert (done.outcome, done.reasons) == ("failed", (f"input port deliveries: {told}",))
    else:
        assert done.outcome == "unchanged"
        assert done.warnings[0].startswith(f"Input deliveries arrived: {told}; the last good one of ")
    assert len(running_mesh.shelf("readings").published()) == 1


def test_a_change_of_the_code_makes_old_data_no_fresher(running_mesh):
    """Nor does it for those who read it."""
    edited(running_mesh.root, READINGS, "updated_at: processed_at\n", "\n")
    running_mesh.refresh("readings", "summary")
    first = running_mesh.latest("readings")
    pulled_at = first.inputs["deliveries"]["pulled_at"]
    (running_mesh.root / CSV).unlink()
    edited(running_mesh.root, MEASUREMENTS, "-- Every", "-- Still every")
    assert [done.outcome for done in running_mesh.refresh("readings", "summary")] == ["published", "published"]
    second, below = running_mesh.latest("readings"), running_mesh.latest("summary")
    assert second.id != first.id
    assert {port.watermark for port in (*second.ports, *below.ports)} == {pulled_at}
    late = datetime.fromisoformat(second.published_at) + timedelta(hours=26)
    checks = running_mesh.health("readings", late).checks
    (fresh,) = [check for check in checks if check.dimension == "freshness"]
    assert fresh.verdict == "missed" and "it is as of" in fresh.reason


def materialised_version(running, port):
    """Of the event that Dagster's freshness policy counts from."""
    event = running.instance.get_latest_materialization_event(asset_key(("readings", "outputs", port)))
    assert event is not None and event.asset_materialization is not None
    return event.asset_materialization.metadata["version"].value


def followed(running, handled):
    return decision(following := follower(running.product("summary")), seen_by(running.instance, [following]), handled)


def test_what_publishes_old_data_does_not_materialise_it_as_fresh(running_mesh, tmp_path):
    """The ledger, the versions, the scorecard and the products behind it have the new version; Dagster's policy counts on from the old one."""
    edited(running_mesh.root, READINGS, "updated_at: processed_at\n", "\n")
    assert {port.fresh_for for port in running_mesh.product("readings").outputs} == {timedelta(hours=26)}
    assert [(done.outcome, done.reasons) for done in running_mesh.refresh("readings", "summary")] == [("published", ())] * 2
    first, handled = running_mesh.latest("readings"), followed(running_mesh, None).handled
    delivered = (running_mesh.root / CSV).read_text()
    (running_mesh.root / CSV).unlink()
    edited(running_mesh.root, MEASUREMENTS, "-- Every", "-- Still every")
    assert [done.outcome for done in running_mesh.refresh("readings")] == ["published"]
    old = running_mesh.latest("readings")
    assert [version.id for version in running_mesh.shelf("readings").published()] == [first.id, old.id]
    assert {materialised_version(running_mesh, port.port) for port in old.ports} == {first.id}
    assert running_mesh.scorecard("readings")["outcome"] == f"published version {old.id}"

    found = followed(running_mesh, handled)
    assert found.due and found.handled > handled
    assert [done.outcome for done in running_mesh.refresh("summary")] == ["published"]
    assert running_mesh.latest("summary").inputs["measurements"]["version"] == old.id
    assert not followed(running_mesh, found.handled).due

    deliver(running_mesh.root, delivered)
    running_mesh.refresh("readings")
    new = running_mesh.latest("readings")
    assert {materialised_version(running_mesh, port.port) for port in new.ports} == {new.id}

    now, ledger = datetime.now(UTC), SqliteLedgers(tmp_path).new()
    sync(ledger, DagsterLog(running_mesh.instance), now)
    with ledger.reading() as connection:
        known = publications(connection, "readings", now - timedelta(hours=1), now + timedelta(hours=1))
        times = publication_times(connection, "readings", now)
    expected = {(port.port, version.id) for version in (first, old, new) for port in version.ports}
    ledger.close()
    assert {(each.port, each.version) for each in known} == expected
    assert [each.columns for each in known if each.version == old.id] == [each.columns for each in known if each.version == first.id]
    assert times == tuple(datetime.fromisoformat(version.published_at) for version in (first, new))
