"""When products that are refreshed on their inputs are due: the rule as a table, and the sensor on a real Dagster instance."""

import json
from contextlib import closing
from datetime import UTC, datetime

import dagster as dg
import pytest
from dagster._core.errors import DagsterUserCodeProcessError
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from sqlalchemy import text
from typer.testing import CliRunner

from platform_resources.capabilities.registry import installed_registry
from platform_resources.cli.app import app
from platform_resources.dbt.planning import read_plan
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.ledger.people.certifications import NEVER_ENDS, Certificate, grant_certificate
from platform_resources.orchestration.automation import NOTHING_NEW, Decision, Follower, Seen, _result, decision
from platform_resources.orchestration.definitions import definitions
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.orchestration.refresh_resource import RefreshResource
from platform_resources.orchestration.refresh_runs import refresh
from platform_resources.refresh.product_locks import locked
from platform_resources.repository.mesh_folders import state_folder
from platform_resources.services.refreshes.execution import refresh_product
from tests.meshes import SUMMARY, TINY_MESH, edited, model_file, product_file, write_mesh

ORDERS, PRICES = ("sales", "inputs", "orders"), ("sales", "inputs", "prices")
ORDERS_PORT, PRICES_PORT = ("orders", "outputs", "sql"), ("prices", "outputs", "sql")
SALES = Follower("sales", ((ORDERS, ORDERS_PORT), (PRICES, PRICES_PORT)))
PULLED = {ORDERS: 10, PRICES: 11}
PUBLISHED = {ORDERS_PORT: 5, PRICES_PORT: 6, **PULLED}
NEWER = {**PUBLISHED, ORDERS_PORT: 20}
TAKEN_BEFORE = {**NEWER, ORDERS: 21, PRICES: 22}  # the pull looked for a version, then one was published, then the pull was noted


@pytest.mark.parametrize(
    ("what", "events", "running", "handled", "expected"),
    [
        ("all was pulled since", PUBLISHED, (), 6, Decision(6)),
        ("a port has a newer version", NEWER, (), 6, Decision(20, due=True)),
        ("the version was requested already", NEWER, (), 20, Decision(20)),
        ("what is there at first sight is no news", NEWER, (), None, Decision(20)),
        ("nothing is there at first sight", {}, (), None, Decision(0)),
        ("the first version after first sight", {ORDERS_PORT: 5, PRICES_PORT: 6}, (), 0, Decision(6, due=True)),
        ("published while the refresh before was pulling", {**NEWER, PRICES: 21}, (), 6, Decision(20, due=True)),
        ("published after the same pull had taken its version", TAKEN_BEFORE, (), 6, Decision(20, due=True)),
        ("pulled by hand after it was published", {**NEWER, ORDERS: 21, PRICES: 22}, (), 6, Decision(6)),
        ("a port does not exist", {ORDERS_PORT: 20}, (), 6, Decision(6, waits_for="prices/outputs/sql is not published yet")),
        ("the upstream is under way", NEWER, ("prices",), 6, Decision(6, waits_for="prices is being refreshed")),
        ("the product itself is under way", NEWER, ("sales",), 6, Decision(6, waits_for="sales is being refreshed")),
        ("another product is under way", NEWER, ("returns",), 6, Decision(20, due=True)),
    ],
)
def test_a_product_is_due_when_an_input_is_newer_and_nothing_is_under_way(what, events, running, handled, expected):
    versions = {ORDERS_PORT: "v2", ORDERS: "v1" if events is TAKEN_BEFORE else "v2", PRICES: "v1", PRICES_PORT: "v1"}
    assert decision(SALES, Seen(events, frozenset(running), versions), handled) == expected, what


def test_what_is_published_while_a_description_is_broken_is_news_once_it_is_mended():
    broken = json.loads(_result({"returns": Decision(20)}, {"sales": 6, "returns": 3}).cursor)
    assert broken == {"sales": 6, "returns": 20}
    assert decision(SALES, Seen(NEWER, frozenset(), {ORDERS_PORT: "v2", ORDERS: "v1"}), broken["sales"]).due


def sensor_of(found: dg.Definitions, domain: str = "office") -> dg.SensorDefinition:
    return found.get_repository_def().get_sensor_def(f"refresh_{domain}_on_inputs")


def looked(found: dg.Definitions, instance: dg.DagsterInstance, cursor: str | None, domain: str = "office"):
    """One evaluation of the domain's sensor: what it requests by job, why not, and its cursor."""
    context = dg.build_sensor_context(instance, cursor=cursor, repository_def=found.get_repository_def())
    data = sensor_of(found, domain).evaluate_tick(context)
    return [request.job_name for request in data.run_requests or ()], data.skip_message, data.cursor


def published(instance: dg.DagsterInstance) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(dg.AssetKey(["readings", "outputs", "measurements_sql"])))


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def loaded(root) -> dg.Definitions:
    return definitions(root, read_plan(root)[0])


pytestmark = pytest.mark.slow


def test_what_is_retired_is_not_refreshed_by_a_document_of_before(tiny, instance):
    """Not by its schedule, by a sensor, by the command or by the services, until whoever has retired it takes that back."""
    spec = product_file("plant", "readings")
    with closing(open_ledger(ledger_url(tiny, {}))) as ledger, ledger.writing() as connection:
        for name in ("readings", "summary"):
            signed = Certificate(
                name, "ann@example.com", "It is sold.", datetime(2026, 3, 1, tzinfo=UTC), NEVER_ENDS, ("archive",), stage="retired"
            )
            grant_certificate(connection, signed)
    plan, found = read_plan(tiny)[0], loaded(tiny)
    retired = f"readings was retired on 2026-03-01 by ann@example.com (It is sold.), and {spec} is its document of before: take the one"
    instead = "give what is to run a name of its own. To have readings back, `mesh release sign readings retired --end --by ann@example.com"
    (done,) = refresh(tiny, plan, ["readings"], instance, None, lambda *_: None)
    alone = refresh_product(tiny, tiny, plan.product("readings"), installed_registry(), "run")
    (by_clock,) = (each for each in found.get_repository_def().schedule_defs if each.job_name == "refresh_readings")
    ticked = by_clock.evaluate_tick(dg.build_schedule_context(instance, scheduled_execution_time=datetime.now(UTC)))
    for outcome, said in ((done.outcome, done.reasons[0]), (alone.outcome, alone.reasons[0]), ("failed", ticked.skip_message)):
        assert (outcome, said.startswith(retired), instead in said) == ("failed", True, True), said
    with synced_ledger(tiny, instance, datetime.now(UTC)) as ledger, ledger.reading() as connection:
        statuses = connection.execute(text("select status from runs where product = 'readings'")).scalars().all()
    assert statuses == ["canceled"], "which says nothing of the product"
    resource, state = RefreshResource(root=str(tiny), state=str(state_folder(tiny))), state_folder(tiny)
    for _ in range(2):  # a later step of a run without an edge between them is refused too
        with pytest.raises(DagsterUserCodeProcessError, match="was retired on"):
            resource.hold(plan.product("readings"))
        locked(state, plan.product("readings"), 0).release()
    _, _, cursor = looked(found, instance, None)
    published(instance)
    for _ in range(2):
        jobs, said, cursor = looked(found, instance, cursor)
        assert (jobs, said.startswith("summary waits: summary was retired on 2026-03-01")) == ([], True), said
    sign = ["--root", str(tiny), "release", "sign", "summary", "retired", "--end", "--by", "ann@example.com", "--why", "It is needed."]
    assert CliRunner().invoke(app, sign).exit_code == 0
    assert looked(found, instance, cursor)[0] == ["refresh_summary"], "what came meanwhile is not lost"


def test_a_product_on_inputs_is_requested_once_for_each_new_version(tiny, instance):
    found = loaded(tiny)
    requested, why, cursor = looked(found, instance, None)
    assert (requested, why) == ([], NOTHING_NEW)
    published(instance)
    requested, _, cursor = looked(found, instance, cursor)
    assert requested == ["refresh_summary"]
    requested, why, cursor = looked(found, instance, cursor)
    assert (requested, why) == ([], NOTHING_NEW)
    published(instance)
    assert looked(found, instance, cursor)[0] == ["refresh_summary"]


def test_the_requested_run_is_the_whole_job_of_the_product(tiny):
    """Assets and checks of all five steps: without its audit nothing could be published."""
    found = loaded(tiny)
    (target,) = sensor_of(found).targets
    assert target.job_name == "refresh_summary"
    job, graph = found.resolve_job_def("refresh_summary"), found.resolve_asset_graph()
    whole = {key for key in graph.get_all_asset_keys() if key.path[0] == "summary" and graph.get(key).is_materializable}
    assert set(job.asset_layer.selected_asset_keys) == whole
    audited = {o.check.name for o in read_plan(tiny)[0].product("summary").audited}
    assert audited <= {key.name for key in job.asset_layer.asset_graph.asset_check_keys}
    assert job.tags["product"] == "summary"


def test_a_request_that_was_made_twice_has_one_run_key(tiny, instance):
    """A daemon that ends between starting the run and noting the cursor asks again."""
    found = loaded(tiny)
    _, _, cursor = looked(found, instance, None)
    published(instance)
    keys = set()
    for _ in range(2):
        context = dg.build_sensor_context(instance, cursor=cursor, repository_def=found.get_repository_def())
        keys |= {request.run_key for request in sensor_of(found).evaluate_tick(context).run_requests}
    assert len(keys) == 1


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTED])
@pytest.mark.parametrize("product", ["readings", "summary"])
def test_a_run_of_the_upstream_or_of_the_product_is_waited_for(tiny, instance, status, product):
    found = loaded(tiny)
    _, _, cursor = looked(found, instance, None)
    job = found.resolve_job_def(f"refresh_{product}")
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("all"), "__repository__"), job.name)
    run = instance.create_run_for_job(job, status=status, tags=job.run_tags, remote_job_origin=origin, job_code_origin=None)
    published(instance)
    requested, why, cursor = looked(found, instance, cursor)
    assert (requested, why) == ([], f"summary waits: {product} is being refreshed")
    instance.report_run_canceled(run)
    assert looked(found, instance, cursor)[0] == ["refresh_summary"]


def test_a_run_of_some_assets_that_was_put_together_by_hand_is_waited_for(tiny, instance):
    found = loaded(tiny)
    _, _, cursor = looked(found, instance, None)
    job = found.get_repository_def().get_implicit_asset_job_names()[0]
    chosen = frozenset({dg.AssetKey(["readings", "measurements"])})
    instance.create_run_for_job(
        found.resolve_job_def(job).get_subset(asset_selection=chosen), status=dg.DagsterRunStatus.STARTED, asset_selection=chosen
    )
    published(instance)
    assert looked(found, instance, cursor)[1] == "summary waits: readings is being refreshed"


def test_a_refresh_whose_gate_is_closed_requests_nothing_behind_it(tiny, instance):
    plan, _ = read_plan(tiny)
    found = loaded(tiny)
    _, _, cursor = looked(found, instance, None)
    landing = tiny / "dataproducts/plant/readings/landing/readings.csv"
    whole = landing.read_text()
    landing.write_text(whole.splitlines()[0] + "\n")
    (closed,) = refresh(tiny, plan, ["readings"], instance, None, lambda *_: None)
    assert closed.outcome != "published"
    requested, why, cursor = looked(found, instance, cursor)
    assert (requested, why) == ([], NOTHING_NEW)
    landing.write_text(whole)
    (opened,) = refresh(tiny, plan, ["readings"], instance, None, lambda *_: None)
    assert opened.outcome == "published"
    assert looked(found, instance, cursor)[0] == ["refresh_summary"]


def test_what_was_refreshed_by_hand_is_not_refreshed_again(tiny, instance):
    plan, _ = read_plan(tiny)
    found = loaded(tiny)
    _, _, cursor = looked(found, instance, None)
    outcomes = [each.outcome for each in refresh(tiny, plan, ["readings", "summary"], instance, None, lambda *_: None)]
    assert outcomes == ["published", "published"]
    assert looked(found, instance, cursor)[:2] == ([], NOTHING_NEW)


def test_two_products_that_are_due_at_once_make_two_runs(tiny, instance):
    twin = {
        product_file("office", "twin"): SUMMARY.replace("name: summary", "name: twin"),
        "dataproducts/office/twin/README.md": "# Twin\n",
    }
    twin |= {
        model_file("office", "twin", name): TINY_MESH[model_file("office", "summary", name)] for name in ("sensor_readings", "sensors")
    }
    found = loaded(write_mesh(tiny, {file: text.replace("summary", "twin") for file, text in twin.items()}))
    _, _, cursor = looked(found, instance, None)
    published(instance)
    requested, _, cursor = looked(found, instance, cursor)
    assert requested == ["refresh_summary", "refresh_twin"]
    assert set(json.loads(cursor)) == {"summary", "twin"}


def test_a_domain_without_products_on_inputs_has_no_such_sensor(tiny):
    names = {sensor.name for sensor in loaded(tiny).get_repository_def().sensor_defs}
    assert "refresh_office_on_inputs" in names
    assert "refresh_plant_on_inputs" not in names
    edited(tiny, product_file("office", "summary"), "on: inputs", 'cron: "0 5 * * *"')
    assert not [sensor for sensor in loaded(tiny).get_repository_def().sensor_defs if sensor.name.endswith("_on_inputs")]
