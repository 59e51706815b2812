"""The step of a refresh that builds: the product's dbt models and tests, as Dagster definitions."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg

from platform_resources.dbt.build import BuildFailed, build, compiled, parsed
from platform_resources.lineage.product_lineage import ProductLineage
from platform_resources.orchestration.asset_specs import SpecMinter, asset_key, check_specs
from platform_resources.orchestration.guarding import guarded
from platform_resources.orchestration.refresh_resource import RefreshResource
from platform_resources.orchestration.results import build_failures, build_results, only_tests_failed
from platform_resources.orchestration.run_failures import gate_closed, stopped
from platform_resources.orchestration.steps import Context, report_stopped, served
from platform_resources.plan import conventions
from platform_resources.plan.check_plans import CheckPlan
from platform_resources.plan.plan import ModelPlan, ProductPlan
from platform_resources.plan.plan_text import fingerprint
from platform_resources.refresh.built import make_room, note_keeping, unnoted
from platform_resources.refresh.built_lineage import keep_lineage
from platform_resources.refresh.gate import Gate, close, decided, set_gate, set_unbuilt
from platform_resources.refresh.profiled_relations import forget as forget_profiles
from platform_resources.repository.mesh_repository import target_of, write_generated_files
from platform_resources.warehouses.protocol import ProductDatabase


def build_step(product: ProductPlan, minter: SpecMinter, root: Path) -> dg.AssetsDefinition:
    """The product's dbt models and tests in one `dbt build`, in this process.

    A person may choose some of them in Dagster's UI. What then stands beside them was built by another run: so nothing of it is audited
    or published, until the next refresh builds all.
    """
    models, tests = product.models, [test for model in product.models for test in model.tests]

    @dg.multi_asset(
        name=conventions.step_name(product.name, "build"),
        specs=[minter.model(model) for model in models],
        check_specs=list(check_specs(tests)),
        can_subset=True,
        pool=conventions.pool(product.name),
    )
    @guarded(product)
    def _build(context: Context, refresh: RefreshResource) -> Iterator[Any]:
        refresh.hold(product)
        write_generated_files(root, product.files)
        with refresh.opened(product) as database:
            close(database, "the last build did not finish")
        chosen = [m for m in models if asset_key(m.key) in context.selected_asset_keys]
        run = [t for t in tests if dg.AssetCheckKey(asset_key(t.key), t.name) in context.selected_asset_check_keys]
        whole = len(chosen) == len(models) and len(run) == len(tests)
        if not whole:
            only = {*(model.name for model in chosen), *(test.dbt_id for test in run)}
            yield from _built_in_part(context, refresh, product, root, only, chosen, run)
            return
        try:
            project = parsed(root, refresh.state_folder, product, target_of(root).name)
            with refresh.opened(product) as database:
                make_room(database, product, project.relations, context.run_id)
                kept = frozenset() if refresh.full_refresh else project.incremental
                note_keeping(database, product, kept)
            nodes = build(project, context.log.info, refresh.full_refresh)
        except BuildFailed as error:
            report_stopped(context, refresh, product, str(error))
            raise stopped(f"dbt could not build {product.name}: {error}", "BuildFailed") from error
        failures = build_failures(product, nodes)
        with refresh.opened(product) as database:
            _settle_build(database, product, "; ".join(failures.values()))
            rows, lineage = {}, ProductLineage()
            if not failures:
                lineage = keep_lineage(database, refresh.state_folder, product, compiled(nodes))
            if not failures and not unnoted(database, product):
                rows = _rows(database, product)
        yield from build_results(product, nodes, rows, refresh.now(), kept, lineage)
        if failures:
            report_stopped(context, refresh, product, "; ".join(failures.values()))
        if failures and only_tests_failed(nodes):
            raise gate_closed(failures.values(), served(refresh, product))
        if failures:
            raise stopped("\n".join(("dbt could not build every model:", *failures.values())), failures=failures)

    return _build


def _built_in_part(
    context: Context,
    refresh: RefreshResource,
    product: ProductPlan,
    root: Path,
    only: Collection[str],
    chosen: Sequence[ModelPlan],
    run: Sequence[CheckPlan],
) -> Iterator[Any]:
    """Build these models and run these tests alone; the gate stays closed whatever they say."""
    named = ", ".join(model.name for model in chosen) or "no model"
    why = f"of {len(product.models)} models only {named} and {len(run)} test(s) were run last; refresh {product.name} as a whole"
    with refresh.opened(product) as database:
        close(database, why)
    try:
        project = parsed(root, refresh.state_folder, product, target_of(root).name)
        nodes = build(project, context.log.info, refresh.full_refresh, only)
    except BuildFailed as error:
        raise stopped(f"dbt could not build {named} of {product.name}: {error}", "BuildFailed") from error
    part = replace(product, models=tuple(replace(m, tests=tuple(t for t in m.tests if t in run)) for m in product.models))
    failures = build_failures(part, nodes)
    with refresh.opened(product) as database:
        rows = {} if failures else _rows(database, replace(product, models=tuple(chosen)))
    yield from build_results(part, nodes, rows, refresh.now(), project.incremental)
    context.log.warning(why)
    if failures:
        raise stopped("\n".join((f"dbt could not build {named}:", *failures.values())), failures=failures)


def _settle_build(database: ProductDatabase, product: ProductPlan, failures: str) -> None:
    """A product without objectives for an audit has none, so its build alone opens the gate."""
    built_by = fingerprint(product)
    forget_profiles(database)
    set_unbuilt(database, failures, built_by)
    reason = failures or "the models were rebuilt and not audited since"
    set_gate(database, Gate(False, reason) if failures or product.audited else decided((), built_by))


def _rows(database: ProductDatabase, product: ProductPlan) -> dict[str, int]:
    """Rows of each model that is a table: those of a view would have to be computed for that."""
    tables = (model for model in product.models if model.materialized not in ("view", "ephemeral"))
    return {model.name: database.count(model.relation) for model in tables if database.is_table(model.relation)}
