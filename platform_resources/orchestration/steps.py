"""The steps of a refresh that make data, as Dagster definitions: pull, build, audit, publish."""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from platform_resources.capabilities.protocols import NotPulled
from platform_resources.capabilities.registry import Registry
from platform_resources.dbt.build import begin_import
from platform_resources.dbt.full_refresh import way_out
from platform_resources.orchestration.asset_specs import SpecMinter, asset_key, check_specs
from platform_resources.orchestration.audit_history import histories_for_audit
from platform_resources.orchestration.events.profiles import profiled_events, profiles_by_port
from platform_resources.orchestration.events.results import (
    audited_result,
    input_check_results,
    observed_publication,
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
from platform_resources.refresh.built import as_built, built_in, keeping, unnoted
from platform_resources.refresh.data_age import input_records
from platform_resources.refresh.gate import CHANGED, AuditVerdict, Gate, close, decided, gate, set_gate, unbuilt
from platform_resources.refresh.profiled_relations import Published, profiles, settle
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
            report_stopped(context, refresh, product, "; ".join(failed.values()))
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


def served(refresh: RefreshResource, product: ProductPlan) -> str | None:
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


def report_stopped(context: Context, refresh: RefreshResource, product: ProductPlan, reason: str) -> None:
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
