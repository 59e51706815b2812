"""The step of a refresh that builds: the product's dbt models and tests, as Dagster definitions."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg

from platform_resources.dbt.build import BuildFailed, build, compiled, parsed
from platform_resources.lineage.product_lineage import ProductLineage
from platform_resources.orchestration.asset_specs import SpecMinter, asset_key, check_specs
from platform_resources.orchestration.events.results import build_failures, build_results, only_tests_failed
from platform_resources.orchestration.events.run_failures import gate_closed, stopped
from platform_resources.orchestration.guarding import guarded
from platform_resources.orchestration.refresh_resource import RefreshResource
from platform_resources.orchestration.steps import Context, report_stopped, served
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
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

    @dg.multi_asset(
        name=conventions.step_name(product.name, "build"),
        specs=[minter.model(model) for model in product.models],
        check_specs=list(check_specs(test for model in product.models for test in model.tests)),
        can_subset=True,
        pool=conventions.pool(product.name),
    )
    @guarded(product)
    def _build(context: Context, refresh: RefreshResource) -> Iterator[Any]:
        refresh.hold(product)
        write_generated_files(root, product.files)
        only = _chosen(context, product)
        part = _part(product, only)
        why_not = _why_not(product, only)
        with refresh.opened(product) as database:
            close(database, why_not or "the last build did not finish")
        try:
            project = parsed(root, refresh.state_folder, product, target_of(root).name)
            with refresh.opened(product) as database:
                make_room(database, product, project.relations, context.run_id)
                kept = frozenset() if refresh.full_refresh else project.incremental
                note_keeping(database, product, project.incremental if why_not else kept)
            nodes = build(project, context.log.info, refresh.full_refresh, only if why_not else None)
        except BuildFailed as error:
            report_stopped(context, refresh, product, str(error))
            raise stopped(f"dbt could not build {product.name}: {error}", "BuildFailed") from error
        failures = build_failures(part, nodes)
        with refresh.opened(product) as database:
            rows, lineage = {}, ProductLineage()
            if not why_not:
                _settle_build(database, product, "; ".join(failures.values()))
            if not failures and not why_not:
                lineage = keep_lineage(database, refresh.state_folder, product, compiled(nodes))
            if not failures and not unnoted(database, product):
                rows = _rows(database, part)
        yield from build_results(part, nodes, rows, refresh.now(), kept, lineage)
        if why_not:
            context.log.warning(why_not)
        if failures:
            report_stopped(context, refresh, product, "; ".join(failures.values()))
        if failures and only_tests_failed(nodes):
            raise gate_closed(failures.values(), served(refresh, product))
        if failures:
            raise stopped("\n".join(("dbt could not build every model:", *failures.values())), failures=failures)

    return _build


def _chosen(context: Context, product: ProductPlan) -> frozenset[str]:
    """What this run builds: models by their names, and tests by dbt's ids."""
    keys, checks = context.selected_asset_keys, context.selected_asset_check_keys
    tests = (test for model in product.models for test in model.tests)
    return frozenset(
        (
            *(model.name for model in product.models if asset_key(model.key) in keys),
            *(test.dbt_id for test in tests if dg.AssetCheckKey(asset_key(test.key), test.name) in checks),
        )
    )


def _part(product: ProductPlan, only: Collection[str]) -> ProductPlan:
    """The product with these tests alone; a test may be chosen without its model."""
    models = (replace(model, tests=tuple(test for test in model.tests if test.dbt_id in only)) for model in product.models)
    return replace(product, models=tuple(models))


def _why_not(product: ProductPlan, only: Collection[str]) -> str:
    """Why nothing of a build of these alone is audited or published; empty where they are all."""
    built = [model.name for model in product.models if model.name in only]
    tests = [test.dbt_id for model in product.models for test in model.tests]
    run = sum(test in only for test in tests)
    if len(built) == len(product.models) and run == len(tests):
        return ""
    named = f"of {len(product.models)} models {', '.join(built) or 'none'} and of {len(tests)} tests {run or 'none'}"
    return f"the last build was of a part: {named}; refresh {product.name} as a whole"


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
