"""The whole asset graph of the sample mesh, as Dagster resolves it, against a golden text."""

import dagster as dg
import pytest

from platform_resources.dbt.planning import read_plan
from platform_resources.orchestration.definitions import definitions
from tests.golden_files import assert_golden
from tests.meshes import REPOSITORY

pytestmark = pytest.mark.slow
GOLDEN = REPOSITORY / "tests/golden/asset_graph.txt"


@pytest.fixture(scope="module")
def loaded():
    plan, _ = read_plan(REPOSITORY)
    return definitions(REPOSITORY, plan, plan, [domain.name for domain in plan.domains])


def asset_text(graph, key: dg.AssetKey) -> str:
    node = graph.get(key)
    spec = {spec.key: spec for spec in node.assets_def.specs}[key]
    kinds = sorted(tag.removeprefix("dagster/kind/") for tag in node.tags if tag.startswith("dagster/kind/"))
    policy = node.freshness_policy
    lines = [
        key.to_user_string(),
        f"  group {node.group_name}; kinds {', '.join(kinds)}; owners {', '.join(spec.owners)}",
        *(f"  reads {parent.to_user_string()}" for parent in sorted(node.parent_keys)),
        *([f"  fresh within {policy.fail_window.to_timedelta()}"] if policy else []),
        *(
            f"  check {check.name}{' (blocking)' if graph.get(check).blocking else ''}"
            for check in sorted(graph.get_check_keys_for_assets({key}), key=lambda check: check.name)
        ),
    ]
    return "\n".join(lines)


def test_the_asset_graph_is_as_reviewed(loaded):
    graph = loaded.resolve_asset_graph()
    text = "\n".join(asset_text(graph, key) for key in sorted(graph.get_all_asset_keys(), key=lambda key: key.path))
    schedules = [f"schedule {s.name}: {s.cron_schedule} {s.execution_timezone}" for s in loaded.get_repository_def().schedule_defs]
    sensors = [
        f"sensor {s.name}{': ' if s.targets else ''}{', '.join(sorted(target.job_name for target in s.targets))}"
        for s in loaded.get_repository_def().sensor_defs
    ]
    assert_golden("\n".join([text, *sorted(schedules), *sorted(sensors), ""]), GOLDEN)


def test_lineage_reaches_from_a_source_of_one_domain_to_a_dashboard_of_another(loaded):
    graph = loaded.resolve_asset_graph()
    reached, front = set(), [dg.AssetKey(["customer_360", "consumers", "crm_dashboard"])]
    while front:
        key = front.pop()
        reached.add(key)
        front += [parent for parent in graph.get(key).parent_keys if parent not in reached]
    assert dg.AssetKey(["purchase_orders", "sources", "transactions"]) in reached
    assert dg.AssetKey(["purchase_orders", "outputs", "orders"]) in reached


def test_every_asset_points_at_the_line_that_declares_it(loaded):
    graph = loaded.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        (reference,) = graph.get(key).metadata["dagster/code_references"].code_references
        text = (REPOSITORY / reference.label).read_text().splitlines()
        assert text[reference.line_number - 1].strip(), key
        if reference.label.endswith("product.yaml"):
            assert "name:" in text[reference.line_number - 1], (key, reference)


def test_an_output_port_carries_its_column_schema_and_owners(loaded):
    node = loaded.resolve_asset_graph().get(dg.AssetKey(["customer_360", "outputs", "customers_sql"]))
    schema = node.metadata["dagster/column_schema"]
    assert {column.name: column.type for column in schema.columns}["revenue"] == "decimal(18,2)"
    assert {column.name: column.tags for column in schema.columns}["income_band"] == {"classification": "sensitive"}
