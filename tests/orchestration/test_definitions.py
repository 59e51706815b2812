"""Code locations: one domain, a mesh with a bad product."""

import shutil
from dataclasses import replace

import dagster as dg
import pytest
from dagster._core.remote_representation.external_data import RepositorySnap
from dagster_shared.serdes import serialize_value

from platform_resources import domain_definitions
from platform_resources.dbt.planning import read_plan
from platform_resources.orchestration.definitions import definitions
from platform_resources.repository.known_documents import FOLDER
from platform_resources.spec.components import Refresh
from tests.meshes import REPOSITORY, copied_mesh, edited, product_file, write_mesh

pytestmark = pytest.mark.slow

LOCATION = '"""A code location."""\n\nfrom platform_resources import domain_definitions\n\ndefs = domain_definitions(__file__)\n'


def keys(found: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in found.resolve_asset_graph().get_all_asset_keys()}


def located(root, domain: str) -> dg.Definitions:
    file = root / "dataproducts" / domain / "definitions.py"
    file.write_text(LOCATION)
    return domain_definitions(str(file))


def test_code_locations_of_older_meshes_find_both_functions_at_their_old_address(tiny):
    file = tiny / "dataproducts" / "plant" / "definitions.py"
    text = LOCATION.replace("platform_resources import domain_definitions", "platform_resources.orchestration.definitions import *")
    found = {"__file__": str(file)}
    exec(compile(text, str(file), "exec"), found)
    assert keys(found["defs"]) == keys(domain_definitions(str(file)))
    assert callable(found["mesh_definitions"])


def test_a_code_location_has_the_products_of_its_domain_only(tiny):
    found = located(tiny, "plant")
    own = {key for key in keys(found) if key.startswith("readings/")}
    assert "readings/scorecard" in own
    assert not any(key.startswith("summary/") for key in keys(found))


def test_two_code_locations_meet_at_an_output_port(tiny):
    graph = located(tiny, "office").resolve_asset_graph()
    inputs = [key for key in graph.get_all_asset_keys() if key.path[:2] == ["summary", "inputs"]]
    parents = {parent.to_user_string() for key in inputs for parent in graph.get(key).parent_keys}
    assert "readings/outputs/measurements_sql" in parents


def test_messages_are_sent_for_each_domain_that_has_channels_or_products_also_where_nothing_runs(tiny):
    (tiny / "dataproducts/hub").mkdir()
    (tiny / "dataproducts/hub/domain.yaml").write_text("title: Hub\nchannels: {oncall: {url: 'json://hub.example.com'}}\n")
    (tiny / "dataproducts/empty").mkdir()
    (tiny / "dataproducts/empty/domain.yaml").write_text("title: Empty\n")
    sensors = {domain: [sensor.name for sensor in located(tiny, domain).sensors or ()] for domain in ("hub", "plant", "empty")}
    assert sensors["hub"] == ["deliver_hub"]
    assert [name for name in sensors["plant"] if name.startswith("deliver_")] == ["deliver_plant"]
    assert sensors["empty"] == []


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A state in which dbt was asked about all products of this repository."""
    state = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MESH_STATE", str(state))
        read_plan(REPOSITORY)
    return state


@pytest.mark.parametrize("domain", ["customer", "finance", "marketing", "sales"])
def test_dagster_gets_the_same_of_a_domain_from_kept_documents_as_from_the_whole_mesh_read_anew(domain, asked, tmp_path, monkeypatch):
    def snapshot(found: dg.Definitions) -> str:
        return serialize_value(RepositorySnap.from_def(found.get_repository_def()))

    monkeypatch.setenv("MESH_STATE", str(copied_mesh(asked, tmp_path)))
    file = str(REPOSITORY / "dataproducts" / domain / "definitions.py")
    whole, _ = read_plan(REPOSITORY)
    anew = snapshot(definitions(REPOSITORY, whole.domain(domain), lambda: whole, [domain]))
    assert not (tmp_path / FOLDER).exists()
    assert snapshot(domain_definitions(file)) == anew
    assert len(list((tmp_path / FOLDER).iterdir())) == len(whole.products)
    assert snapshot(domain_definitions(file)) == anew


def test_each_job_says_by_a_tag_of_whose_places_in_the_queue_it_takes_one(tiny):
    jobs = [job for job in located(tiny, "plant").get_repository_def().get_all_jobs() if not job.name.startswith("__")]
    assert {"refresh_readings", "evaluate_plant"} <= {job.name for job in jobs}
    assert {job.tags.get("domain") for job in jobs} == {"plant"}


def test_an_evaluation_sees_other_domains_as_they_were_when_the_location_was_loaded(tiny, monkeypatch):
    found = located(tiny, "plant")
    shutil.rmtree(tiny / "dataproducts/office/summary")
    with dg.instance_for_test() as instance:
        result = found.resolve_job_def("evaluate_plant").execute_in_process(instance=instance, raise_on_error=False)
    assert result.success


def test_a_bad_product_shows_its_problems_and_takes_nothing_down(tiny):
    edited(tiny, "dataproducts/plant/readings/product.yaml", "lifecycle: production", "lifecycle: prodution")
    found = located(tiny, "plant")
    (spec,) = [spec for spec in found.resolve_all_asset_specs() if spec.key.path[-1] == "problems"]
    assert spec.key == dg.AssetKey(["readings", "problems"])
    assert spec.group_name == "plant/readings"
    assert 'unknown lifecycle "prodution"' in spec.description
    assert "summary/scorecard" in keys(located(tiny, "office"))


def test_two_products_of_one_name_show_their_problems_in_one_place_and_take_nothing_down(tiny):
    twin = (tiny / product_file("plant", "readings")).read_text()
    write_mesh(tiny, {product_file("plant", "readings_too"): twin, product_file("office", "readings"): twin})
    (spec,) = [spec for spec in located(tiny, "plant").resolve_all_asset_specs() if spec.key.path[-1] == "problems"]
    assert "readings_too/product.yaml" in spec.description
    assert "plant/readings/product.yaml" in spec.description
    plan, _ = read_plan(tiny)
    assert "summary/scorecard" in keys(definitions(tiny, plan))


def test_a_product_that_dagster_refuses_is_shown_as_rejected_and_takes_nothing_down(tiny):
    plan, _ = read_plan(tiny)
    never = Refresh.model_construct(on=None, cron="0 0 30 2 *", timezone="UTC")
    found = definitions(
        tiny, replace(plan, products=tuple(replace(p, refresh=never) if p.name == "readings" else p for p in plan.products))
    )
    (spec,) = [spec for spec in found.resolve_all_asset_specs() if spec.key.path[-1] == "problems"]
    assert spec.key == dg.AssetKey(["readings", "problems"])
    assert "Dagster cannot load the product: Found invalid cron schedule" in spec.description
    assert not any(key.startswith("readings/") and key.endswith("scorecard") for key in keys(found))
    assert "summary/scorecard" in keys(found)
    assert found.get_repository_def().get_job("refresh_summary")


def test_a_mesh_without_products_loads(tmp_path):
    root = write_mesh(tmp_path, {})
    plan, problems = read_plan(root)
    assert (plan.products, problems) == ((), ())
    assert keys(definitions(root, plan)) == set()


def test_pools_keep_two_refreshes_of_one_product_apart_and_let_others_run(tiny):
    plan, _ = read_plan(tiny)
    pools = {}
    for asset in definitions(tiny, plan).assets:
        if isinstance(asset, dg.AssetsDefinition):
            pools.setdefault(asset.op.name.split("__")[0], set()).add(asset.op.pool)
    assert pools == {"readings": {"refresh_readings"}, "summary": {"refresh_summary"}}
