"""The stages of a refresh that make data, as Dagster definitions: each reports what its stage did."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import dagster as dg

from platform_resources.capabilities.registry import Registry
from platform_resources.orchestration.asset_specs import SpecMinter, asset_key, check_specs
from platform_resources.orchestration.automation import is_told
from platform_resources.orchestration.events.ledger_events import synced_ledger
from platform_resources.orchestration.events.profiles import profiled_events, profiles_by_port
from platform_resources.orchestration.events.results import (
    audited_result,
    build_results,
    check_result,
    observed_publication,
    published_result,
    pulled_result,
)
from platform_resources.orchestration.events.run_failures import stopped_by
from platform_resources.orchestration.events.scoring import report_score
from platform_resources.orchestration.guarding import guarded
from platform_resources.orchestration.refresh_resource import RefreshResource
from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.grades import LastRefresh, published_text
from platform_resources.refresh.auditing import Audited
from platform_resources.refresh.performing import (
    audit_candidate,
    audit_stop,
    build_models,
    publish_version,
    pull_done,
    pull_inputs,
    tidy_versions,
)
from platform_resources.refresh.publishing import holds_newer_data
from platform_resources.refresh.stages import Ending, InputPulled, PublishDone, Pull, StageDone
from platform_resources.services.refreshes.audit_history import histories_for_audit
from platform_resources.services.refreshes.check_records import input_checks

Context = dg.AssetExecutionContext


def pull_step(product: ProductPlan, minter: SpecMinter, stage: Pull) -> dg.AssetsDefinition:
    """One asset per input port."""

    @dg.multi_asset(
        name=conventions.step_name(product.name, "pull"),
        specs=[minter.input(port) for port in stage.ports],
        check_specs=list(check_specs(check for port in stage.ports for check in port.checks)),
        can_subset=True,
        pool=conventions.pool(product.name),
    )
    @guarded(product)
    def _pull(context: Context, refresh: RefreshResource) -> Iterator[Any]:
        begun = refresh.begun(product, context.run_id, context.log.info)
        ports = [port for port in stage.ports if asset_key(port.key) in context.selected_asset_keys]
        inputs: list[InputPulled] = []
        for pulled in pull_inputs(begun, ports, refresh.day()):
            inputs.append(pulled)
            yield from _pull_results(context, pulled)
        _end_early(context, refresh, product, pull_done(product, inputs))

    return _pull


def _pull_results(context: Context, done: InputPulled) -> Iterator[Any]:
    if not done.error:
        for reason in done.pulled.failures.values():
            context.log.warning(f"input port {done.port.name}: {reason}")
        yield pulled_result(done)
    selected = {key.name for key in context.selected_asset_check_keys if key.asset_key == asset_key(done.port.key)}
    yield from (check_result(record) for record in input_checks(done) if record.check.name in selected)


def _end_early(context: Context | dg.AssetCheckExecutionContext, refresh: RefreshResource, product: ProductPlan, done: StageDone) -> None:
    """Report the scorecard of a refresh that ends with this stage. Raises where the stage stops it."""
    if done.ending is not None:
        report_score(context, refresh, product, done.ending)
    if done.stop is not None:
        raise stopped_by(done.stop)


def build_step(product: ProductPlan, minter: SpecMinter, registry: Registry) -> dg.AssetsDefinition:
    """One asset per dbt model, and the objectives that are judged before. A person may choose some of all these in Dagster's UI."""
    first = [objective.check for objective in product.audited if objective.before_build]

    @dg.multi_asset(
        name=conventions.step_name(product.name, "build"),
        specs=[minter.model(model) for model in product.models],
        check_specs=list(check_specs((*first, *(test for model in product.models for test in model.tests)))),
        can_subset=True,
        pool=conventions.pool(product.name),
    )
    @guarded(product)
    def _build(context: Context, refresh: RefreshResource) -> Iterator[Any]:
        built = build_models(refresh.begun(product, context.run_id, context.log.info), registry, _chosen(context, product))
        yield from (audited_result(built.at, result) for result in _selected(context, built.inputs))
        if built.nodes:
            yield from build_results(built)
        if built.nodes and built.part:
            context.log.warning(built.part)
        _end_early(context, refresh, product, built)

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


def _selected(context: Context | dg.AssetCheckExecutionContext, results: Iterable[Audited]) -> list[Audited]:
    """The verdicts that this run asks for."""
    selected = {(tuple(key.asset_key.path), key.name) for key in context.selected_asset_check_keys}
    return [result for result in results if (result.objective.check.key, result.objective.check.name) in selected]


def audit_step(product: ProductPlan, minter: SpecMinter, registry: Registry) -> dg.AssetChecksDefinition:
    """One check per objective of the audit. A gate that is not met stops the publication."""
    checks = [objective.check for objective in product.audited_after_build]

    @dg.multi_asset_check(
        name=conventions.step_name(product.name, "audit"),
        specs=list(check_specs(checks)),
        can_subset=True,
        pool=conventions.pool(product.name),
    )
    @guarded(product)
    def _audit(context: dg.AssetCheckExecutionContext, refresh: RefreshResource) -> Iterator[Any]:
        begun, now = refresh.begun(product, context.run.run_id, context.log.info), refresh.now()
        before = histories_for_audit(lambda: synced_ledger(refresh.state_folder, context.instance, now), product, now)
        done = audit_candidate(begun, registry, before)
        chosen = _selected(context, done.audited)
        yield from (audited_result(done.at, result, done.hint(result)) for result in chosen)
        _end_early(context, refresh, product, replace(done, stop=audit_stop(done, chosen)))

    return _audit


def publish_step(product: ProductPlan, minter: SpecMinter) -> dg.AssetsDefinition:
    """One asset per output port; all of them are published in one step, as one version."""

    @dg.multi_asset(
        name=conventions.step_name(product.name, "publish"),
        specs=[minter.output(port) for port in product.outputs],
        pool=conventions.pool(product.name),
    )
    @guarded(product)
    def _publish(context: Context, refresh: RefreshResource) -> Iterator[Any]:
        known = partial(is_told, context.instance, product=product)
        begun = replace(refresh.begun(product, context.run_id, context.log.info), is_told=known)
        done = publish_version(begun)
        if done.ending is not None:
            context.log.warning(done.ending.last.outcome)
        _end_early(context, refresh, product, done)
        if done.publication is None:
            return
        yield from _published_results(context, refresh, product, done)
        for warning in tidy_versions(begun, done):
            context.log.warning(warning)

    return _publish


def _published_results(context: Context, refresh: RefreshResource, product: ProductPlan, done: PublishDone) -> Iterator[Any]:
    """Dagster must not take ports without newer data than the version before for fresh: those are observed, and not materialised."""
    publication = done.publication
    assert publication is not None
    for event in profiled_events(context.instance, product, publication, done.profiled):
        context.log_event(event)
    profile = profiles_by_port(product, done.profiled)
    fresh: list[dg.MaterializeResult[Any]] = []
    old: list[dg.MaterializeResult[Any]] = []
    for port in product.outputs:
        result = published_result(refresh.state_folder, product, port, publication, profile.get(port.name))
        newer = port.fresh_for is None or holds_newer_data(publication, done.before, port.name)
        (fresh if newer else old).append(result)
    for result in old:
        context.log_event(observed_publication(result, publication))
    yield from fresh
    if old:
        report_score(context, refresh, product, Ending(done.gate, LastRefresh(published_text(publication.id))))
