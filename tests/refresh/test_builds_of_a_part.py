"""Some models and tests of a product are built alone, as from Dagster's UI: exactly those, and nothing is audited or published after it."""

import dagster as dg
import pytest

from platform_resources.orchestration.definitions import definitions
from platform_resources.plan import conventions
from platform_resources.refresh.gate import gate
from platform_resources.warehouses.duckdb.product_database import opened

pytestmark = pytest.mark.slow
SENSORS = dg.AssetKey(["summary", "sensors"])


@pytest.fixture
def mesh(published):
    """The published summary, with a test and a folder that are named like its model."""
    written = {
        "tests/office/summary/sensors.sql": "select * from {{ ref('sensors') }} where readings < 0",
        "models/office/summary/sensors/beside.sql": "select 1 as one",
    }
    for name, text in written.items():
        file = published.root / "dbt_project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return published


def built(mesh, models: tuple[str, ...] = (), checks: tuple[str, ...] = ()) -> tuple[set[str], dict[str, bool]]:
    """What Dagster is told of these models and these checks of `sensors`, built in a run of their own."""
    job = definitions(mesh.root, mesh.plan).resolve_job_def(conventions.job_name("summary"))
    part = job.get_subset(
        asset_selection={dg.AssetKey(["summary", model]) for model in models},
        asset_check_selection={dg.AssetCheckKey(SENSORS, check) for check in checks},
    )
    result = part.execute_in_process(instance=mesh.instance, raise_on_error=False)
    told = {event.asset_key.path[-1] for event in result.get_asset_materialization_events() if event.asset_key.path[-1] != "scorecard"}
    return told, {check.check_name: check.passed for check in result.get_asset_check_evaluations()}


def gate_reason(mesh) -> str:
    with opened(mesh.root / "warehouse/office/summary.duckdb") as database:
        assert not gate(database).open
        return gate(database).reason


def tables(mesh) -> set[str]:
    with opened(mesh.root / "warehouse/office/summary.duckdb") as database:
        return {row["table_name"] for row in database.rows("select table_name from information_schema.tables")}


def test_one_model_is_built_alone_and_nothing_of_it_is_published(mesh):
    before = mesh.latest("summary")
    assert built(mesh, ("sensors",)) == ({"sensors"}, {})
    assert gate_reason(mesh) == "the last build was of a part: of 3 models sensors and of 1 tests none; refresh summary as a whole"
    assert not tables(mesh) & {"beside"}
    assert not mesh.materialised("summary", "publish").success
    assert mesh.latest("summary") == before


def test_an_audit_after_a_build_of_a_part_opens_no_gate(mesh):
    built(mesh, ("sensors",))
    assert built(mesh, (), ("one_row_per_sensor",)) == (set(), {"one_row_per_sensor": False})
    assert gate_reason(mesh).startswith("the last build was of a part: of 3 models sensors")


def test_a_test_is_run_alone_and_with_its_model(mesh):
    with opened(mesh.root / "warehouse/office/summary.duckdb") as database:
        database.execute("update internal.sensors set readings = -1")
    assert built(mesh, (), ("sensors",)) == (set(), {"sensors": False})
    assert built(mesh, ("sensors",), ("sensors",)) == ({"sensors"}, {"sensors": True})


def test_the_next_whole_refresh_publishes(mesh):
    built(mesh, ("sensors",))
    (done,) = mesh.refresh("summary")
    assert (done.outcome, done.reasons) == ("published", ())
