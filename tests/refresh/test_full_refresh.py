"""An incremental model keeps what was wrong until it is built from scratch, and the platform says how."""

import pytest

from platform_resources.dbt.full_refresh import way_out
from platform_resources.dbt.planning import read_plan
from platform_resources.orchestration.definitions import definitions
from platform_resources.orchestration.refresh_runs import refresh
from platform_resources.plan import conventions
from tests.meshes import component, edited, model_file, product_file, product_yaml, write_mesh
from tests.refresh.running import running

RAW, TOTALS, LINES = "dataproducts/shop/till/raw.csv", model_file("shop", "till", "totals"), model_file("shop", "till", "lines")
HINT = "model lines is incremental and keeps rows of earlier builds; from scratch: mesh refresh till --full-refresh"
MESH = {
    product_file("shop", "till"): product_yaml(
        "till",
        "shop",
        component("raw", "input-port", "interface: file\npath: raw.csv"),
        component("totals", "data-set", "columns: [{name: id, type: bigint}, {name: amount, type: bigint}]"),
        component("totals_sql", "output-port", "interface: sql"),
        component("No negative amount", "service-level-asset", "dimension: validity\ncolumn: amount\nmin: 0\ngate: true"),
    ),
    RAW: "id,amount\n1,10\n",
    LINES: "{{ config(materialized='incremental') }}\nselect id, amount from {{ source('till', 'raw') }}\n"
    "{% if is_incremental() %} where id > (select max(id) from {{ this }}) {% endif %}",
    TOTALS: "select id, amount from {{ ref('lines') }}",
}


@pytest.fixture
def stuck(refreshed_copy, tmp_path):
    """A row that a gate refuses was taken into an incremental model, and is right in the input now."""

    def begin(mesh):
        assert [done.outcome for done in mesh.refresh("till")] == ["published"]
        (mesh.root / RAW).write_text("id,amount\n1,10\n2,-5\n")
        assert [done.outcome for done in mesh.refresh("till")] == ["gate closed"]

    with running(refreshed_copy("stuck", lambda folder: write_mesh(folder, MESH), begin, tmp_path)) as mesh:
        (mesh.root / RAW).write_text("id,amount\n1,10\n2,5\n")
        yield mesh


@pytest.mark.slow
def test_a_gate_that_an_incremental_model_keeps_closed_says_how_to_build_it_from_scratch(stuck):
    (closed,) = stuck.refresh("till")
    assert (closed.outcome, closed.reasons[-1]) == ("gate closed", HINT)
    assert stuck.check("till", ("totals",), "no_negative_amount").metadata["way_out"].value == HINT
    (done,) = refresh(stuck.root, stuck.plan, ["till"], stuck.instance, None, lambda *_: None, full_refresh=True)
    assert (done.outcome, stuck.rows("till", "select amount from totals order by id")) == ("published", [(10,), (5,)])
    run = stuck.instance.get_run_by_id(done.run_id)
    assert run.run_config["resources"]["refresh"]["config"] == {"full_refresh": True}


@pytest.mark.slow
def test_a_run_of_the_job_builds_from_scratch_by_its_configuration(stuck):
    job = definitions(stuck.root, stuck.plan).resolve_job_def(conventions.job_name("till"))
    config = {"resources": {"refresh": {"config": {"full_refresh": True}}}}
    assert job.execute_in_process(instance=stuck.instance, run_config=config, raise_on_error=False).success
    assert stuck.rows("till", "select amount from totals order by id") == [(10,), (5,)]


@pytest.mark.slow
def test_nothing_is_advised_where_a_build_from_scratch_changes_nothing(stuck):
    (stuck.root / RAW).write_text("id,amount\n1,-10\n")
    (done,) = refresh(stuck.root, stuck.plan, ["till"], stuck.instance, None, lambda *_: None, full_refresh=True)
    assert (done.outcome, len(done.reasons)) == ("gate closed", 1)
    edited(stuck.root, LINES, "materialized='incremental'", "materialized='incremental', full_refresh=false")
    (done,) = stuck.refresh("till")
    assert (done.outcome, len(done.reasons)) == ("gate closed", 1)


def test_only_models_that_the_checked_one_reads_are_named(tmp_path):
    product = read_plan(write_mesh(tmp_path, MESH))[0].product("till")
    assert way_out(product, ("till", "totals"), {"lines"}) == HINT
    assert way_out(product, ("till", "lines"), {"totals"}) == ""
    assert way_out(product, ("till", "scorecard"), {"lines"}) == ""
    assert way_out(product, ("till", "totals"), {"lines", "totals"}).startswith("models lines, totals are incremental and keep rows")
