"""The steps of a refresh that make data, as Dagster definitions: pull, build, audit, publish."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from platform_resources.capabilities.protocols import NotPulled
from platform_resources.capabilities.registry import Registry
from platform_resources.dbt.build import BuildFailed, begin_import, build, compiled, parsed
from platform_resources.dbt.full_refresh import way_out
from platform_resources.lineage.product_lineage import ProductLineage
from platform_resources.orchestration.asset_specs import SpecMinter, asset_key, check_specs
from platform_resources.orchestration.audit_history import histories_for_audit
from platform_resources.orchestration.events.profiles import profiled_events, profiles_by_port
from platform_resources.orchestration.events.results import (
    audited_result,
    build_failures,
    build_results,
    input_check_results,
    observed_publication,
    only_tests_failed,
    published_result,
    pulled_result,
)
from platform_resources.orchestration.events.run_failures import gate_closed, stopped
from platform_resources.orchestration.events.scorecards import published_text
from platform_resources.orchestration.guarding import guarded
from platform_resources.orchestration.refresh_resource import RefreshResource
from platform_resources.orchestration.scoring import report_score
from platform_resources.plan import conventions
from platform_resources.plan.plan import InputPlan, ProductPlan
from platform_resources.plan.plan_text import fingerprint
from platform_resources.promises.grades import LastRefresh
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import Publication
from platform_resources.refresh.auditing import audit, unaudited
from platform_resources.refresh.built import as_built, built_in, keeping, make_room, note_keeping, unnoted
from platform_resources.refresh.built_lineage import keep_lineage
from platform_resources.refresh.data_age import input_records
from platform_resources.refresh.gate import CHANGED, AuditVerdict, Gate, close, decided, gate, set_gate, set_unbuilt, unbuilt
from platform_resources.refresh.profiled_relations import Published, profiles, settle
from platform_resources.refresh.profiled_relations import forget as forget_profiles
from platform_resources.refresh.publishing import (
    Candidate,
    NotPublishable,
    failing_inputs,
    holds_newer_data,
    publish,
    tidied,
    unchanged_text,
)
from platform_resources.refresh.pulling import PullContext, Pulled, PullFailed, pull
from platform_resources.repository.mesh_repository import target_of, write_generated_files
from platform_resources.repository.product_secrets import hiding
from platform_resources.warehouses.protocol import ProductDatabase

Context = dg.AssetExecutionContext


def pulled_ports(product: ProductPlan) -> tuple[InputPlan, ...]:
    """The input ports that the platform loads; the others are only described."""
    return tuple(port for port in product.inputs if not isinstance(port.pull, NotPulled))


def pull_step(product: ProductPlan, minter: SpecMinter) -> dg.AssetsDefinition:
    """One asset per input port. Every port is pulled even if another fails."""
    ports = {asset_key(port.key): port for port in pulled_ports(product)}

    @dg.multi_asset(
        name=conventions.step_name(product.name, "pull"),
        specs=[minter.input(port) for port in ports.values()],
        check_specs=list(check_specs(check for port in ports.values() for check in port.checks)),
        can_subset=True,
        pool=conventions.pool(product.name),
    )
    @guarded(product)
    def _pull(context: Context, refresh: RefreshResource) -> Iterator[Any]:
        refresh.hold(product)
        begin_import()
        hide = hiding(refresh.root_folder, product)
        where = PullContext(refresh.root_folder, refresh.state_folder, refresh.now(), refresh.day(), product, hide)
        failed: dict[str, str] = {}
        with refresh.opened(product) as database:
            close(database, "inputs were pulled and the models were not rebuilt since")
            for key in (k for k in ports if k in context.selected_asset_keys):
                yield from _pulled(context, database, ports[key], where, failed)
        if failed:
            _report_stopped(context, refresh, product, "; ".join(failed.values()))
            raise stopped("\n".join(failed.values()), failures=failed)

    return _pull


def _pulled(context: Context, database: ProductDatabase, port: InputPlan, where: PullContext, failed: dict[str, str]) -> Iterator[Any]:
    selected = {key.name for key in context.selected_asset_check_keys if key.asset_key == asset_key(port.key)}
    try:
        pulled = pull(database, port, where)
    except PullFailed as error:
        failed[conventions.check_text(port.key, error.check)] = str(error)
        yield from input_check_results(port, Pulled(port.name, {}, False, failures={error.check: str(error)}), selected, where.now)
        return
    for reason in pulled.failures.values():
        context.log.warning(f"input port {port.name}: {reason}")
    yield pulled_result(port, pulled, where.now)
    yield from input_check_results(port, pulled, selected, where.now)


def build_step(product: ProductPlan, minter: SpecMinter, root: Path) -> dg.AssetsDefinition:
    """The product's dbt models and tests in one `dbt build`, in this process."""

    @dg.multi_asset(
        name=conventions.step_name(product.name, "build"),
        specs=[minter.model(model) for model in product.models],
        check_specs=list(check_specs(test for model in product.models for test in model.tests)),
        pool=conventions.pool(product.name),
    )
    @guarded(product)
    def _build(context: Context, refresh: RefreshResource) -> Iterator[Any]:
        refresh.hold(product)
        write_generated_files(root, product.files)
        with refresh.opened(product) as database:
            close(database, "the last build did not finish")
        try:
            project = parsed(root, refresh.state_folder, product, target_of(root).name)
            with refresh.opened(product) as database:
                make_room(database, product, project.relations, context.run_id)
                kept = frozenset() if refresh.full_refresh else project.incremental
                note_keeping(database, product, kept)
            nodes = build(project, context.log.info, refresh.full_refresh)
        except BuildFailed as error:
            _report_stopped(context, refresh, product, str(error))
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
            _report_stopped(context, refresh, product, "; ".join(failures.values()))
        if failures and only_tests_failed(nodes):
            raise gate_closed(failures.values(), _served(refresh, product))
        if failures:
            raise stopped("\n".join(("dbt could not build every model:", *failures.values())), failures=failures)

    return _build


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


def _served(refresh: RefreshResource, product: ProductPlan) -> str | None:
    """The version that consumers have now."""
    latest = shelf(refresh.state_folder, product.domain, product.name).latest()
    return latest.id if latest is not None else None


def audit_step(product: ProductPlan, minter: SpecMinter, registry: Registry) -> dg.AssetChecksDefinition:
    """Every objective that is measured by the audit, judged on what was built. A gate that is not met stops the publication."""
    checks = [objective.check for objective in product.audited]

    @dg.multi_asset_check(
        name=conventions.step_name(product.name, "audit"),
        specs=list(check_specs(checks)),
        can_subset=True,
        pool=conventions.pool(product.name),
    )
    @guarded(product)
    def _audit(context: dg.AssetCheckExecutionContext, refresh: RefreshResource) -> Iterator[Any]:
        refresh.hold(product)
        now = refresh.now()
        published = shelf(refresh.state_folder, product.domain, product.name).latest()
        before = histories_for_audit(refresh.state_folder, context.instance, product, now)
        with refresh.opened(product) as database:
            why_not = unbuilt(database, fingerprint(product)) or unnoted(database, product)
            if why_not:
                audited = unaudited(product, why_not)
            else:
                audited = audit(database, as_built(database, product), registry, now, published, before, context.log.info)
            decision, kept = decided(audited, fingerprint(product), why_not), keeping(database, product)
            set_gate(database, decision)
        selected, shut, hints = context.selected_asset_check_keys, list[str](), list[str]()
        for result in audited:
            if dg.AssetCheckKey(asset_key(result.objective.check.key), result.objective.check.name) in selected:
                hint = way_out(product, result.objective.check.key, kept)
                yield audited_result(result, now, hint)
                shut += [f"{result.objective.check.title}: {result.judgement.reason}"] if result.closes_gate else []
                hints += [hint] if result.closes_gate and hint else []
        if not decision.open:
            why = f"the gate is closed: {decision.reason}"
            report_score(context, refresh, product, decision, LastRefresh(f"not published, {why}", why))
        if shut:
            raise gate_closed((*shut, *dict.fromkeys(hints)), published.id if published is not None else None)

    return _audit


def _report_stopped(context: Context, refresh: RefreshResource, product: ProductPlan, reason: str) -> None:
    """The scorecard of a refresh that ends before its audit: nothing was measured."""
    verdicts = tuple(AuditVerdict(o.check.title, o.dimension, "unknown", "not audited") for o in product.audited)
    report_score(context, refresh, product, Gate(False, reason, verdicts), LastRefresh(f"not published: {reason}", reason))


def publish_step(product: ProductPlan, minter: SpecMinter) -> dg.AssetsDefinition:
    """One asset per output port; all of them are published in one step, as one version."""

    @dg.multi_asset(
        name=conventions.step_name(product.name, "publish"),
        specs=[minter.output(port) for port in product.outputs],
        pool=conventions.pool(product.name),
    )
    @guarded(product)
    def _publish(context: Context, refresh: RefreshResource) -> Iterator[Any]:
        refresh.hold(product)
        with refresh.opened(product) as database:
            decision, current = gate(database), fingerprint(product)
            if not decision.open or decision.fingerprint != current:
                raise stopped(f"{product.name} is not published: {decision.reason or CHANGED}")
            if lost := unnoted(database, product):
                raise stopped(f"{product.name} is not published: {lost}", "BuildLost")
            run, built = built_in(database, product), as_built(database, product)
            candidate = Candidate(built, refresh.state_folder, refresh.now(), context.run_id, current, run)
            inputs, failing = input_records(database, product), failing_inputs(database, product)
            unchanged = unchanged_text(candidate, inputs, failing)
            if unchanged:
                outcome = f"not published, nothing changed: {unchanged}"
                context.log.warning(outcome)
                report_score(context, refresh, product, decision, LastRefresh(outcome))
                return
            before, profiled = candidate.shelf.latest(), profiles(database, built)
            try:
                publication = publish(database, candidate, inputs)
            except NotPublishable as error:
                raise stopped(f"{product.name} is not published: {error}", "NotPublishable") from error
            settle(database, profiled)
        for event in profiled_events(context.instance, product, publication, profiled):
            context.log_event(event)
        fresh, old = _by_freshness(refresh, product, publication, before, profiled)
        for result in old:
            context.log_event(observed_publication(result, publication))
        yield from fresh
        if old:
            report_score(context, refresh, product, decision, LastRefresh(published_text(publication.id)))
        for warning in tidied(candidate, publication, refresh.root_folder):
            context.log.warning(warning)

    return _publish


def _by_freshness(
    refresh: RefreshResource, product: ProductPlan, publication: Publication, before: Publication | None, profiled: Sequence[Published]
) -> tuple[list[dg.MaterializeResult[Any]], list[dg.MaterializeResult[Any]]]:
    """Results of the ports that hold newer data than the version before, and of those that Dagster must not take for fresh."""
    profile = profiles_by_port(product, profiled)
    fresh: list[dg.MaterializeResult[Any]] = []
    old: list[dg.MaterializeResult[Any]] = []
    for port in product.outputs:
        result = published_result(refresh.state_folder, product, port, publication, profile.get(port.name))
        newer = port.fresh_for is None or holds_newer_data(publication, before, port.name)
        (fresh if newer else old).append(result)
    return fresh, old
