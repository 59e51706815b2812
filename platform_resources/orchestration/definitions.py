"""The definitions of a code location: one domain's products, or a whole mesh."""

import atexit
import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, assert_never

import dagster as dg
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition
from dagster._core.execution.build_resources import wrap_resources_for_execution
from dagster_shared.check import CheckError

from platform_resources.capabilities.components.control_port import EVENTS
from platform_resources.capabilities.registry import Registry, installed_registry
from platform_resources.dbt.planning import with_dbt
from platform_resources.orchestration.asset_specs import SpecMinter, asset_key, rejected_specs
from platform_resources.orchestration.automation import following_sensor, schedules
from platform_resources.orchestration.delivery_sensor import delivery_sensor
from platform_resources.orchestration.domain_job import domain_job
from platform_resources.orchestration.evaluation_job import Evaluation, WholePlan, evaluation, products_to_evaluate, running_products
from platform_resources.orchestration.events.lost_runs import lost_runs_sensor
from platform_resources.orchestration.events.scoring import score_step
from platform_resources.orchestration.guarding import shielded
from platform_resources.orchestration.refresh_resource import RESOURCE, RefreshResource
from platform_resources.orchestration.source_sensor import source_sensor
from platform_resources.orchestration.steps import audit_step, build_step, publish_step, pull_step
from platform_resources.plan import conventions
from platform_resources.plan.from_products.mesh_plan import mesh_plan
from platform_resources.plan.plan import MeshPlan, ProductPlan, RejectedProduct
from platform_resources.redaction.log_lines import write_json_lines
from platform_resources.refresh.stages import Audit, Build, Publish, Pull, Score, pulled_ports, stages
from platform_resources.repository.known_documents import remembering_reader
from platform_resources.repository.mesh_folders import mesh_root, state_folder
from platform_resources.repository.mesh_repository import read_mesh, with_all_texts
from platform_resources.services.control_ports.declared_ports import control_ports
from platform_resources.spec.problems import Problem


@shielded
def domain_definitions(file: str) -> dg.Definitions:
    """The code location of the domain whose definitions.py is `file`: its good products, and the problems of its bad ones."""
    write_json_lines(os.environ)
    here = Path(file).resolve()
    root = mesh_root(start=here.parent)
    domain, registry = here.parent.name, installed_registry()
    with _collector_at_rest():
        mesh = read_mesh(root, registry, reader=remembering_reader(state_folder(root), registry), domain=domain)
        own = [product.name for product in mesh.products if product.domain == domain]
        plan, _ = mesh_plan(with_dbt(root, mesh, own), domain=domain)
        # Of other domains only the documents are read now; their plans when somebody looks beyond the domain.
        whole = cache(lambda: mesh_plan(with_dbt(root, with_all_texts(root, mesh)))[0])
        return _resolved(definitions(root, plan.domain(domain), whole, [domain]))


@shielded
def mesh_definitions(root: Path) -> dg.Definitions:
    """The whole mesh in one code location."""
    write_json_lines(os.environ)
    with _collector_at_rest():
        registry = installed_registry()
        plan, _ = mesh_plan(with_dbt(root, read_mesh(root, registry, reader=remembering_reader(state_folder(root), registry))))
        return _resolved(definitions(root, plan, lambda: plan, [domain.name for domain in plan.domains]))


def _resolved(unresolved: dg.Definitions) -> dg.Definitions:
    """What every process of Dagster asks for next, and gets from what is kept here."""
    unresolved.get_repository_def()
    return unresolved


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """What a code location makes lives as long as its process: looking for garbage in it takes half of the time and finds none."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)
        gc.enable()


@dataclass(frozen=True, slots=True)
class _Built:
    """What Dagster gets of one product."""

    assets: tuple[dg.AssetsDefinition | dg.AssetSpec, ...]
    checks: tuple[dg.AssetChecksDefinition, ...] = ()
    jobs: tuple[dg.JobDefinition, ...] = ()
    schedules: tuple[dg.ScheduleDefinition, ...] = ()


def definitions(root: Path, plan: MeshPlan, whole: WholePlan | None = None, domains: Sequence[str] = ()) -> dg.Definitions:
    """What Dagster gets of a plan. `whole` gives the plan of the whole mesh, which evaluation needs; without it there is none.

    `domains` are those whose messages are sent from here.
    """
    registry = installed_registry()
    resources = {RESOURCE: RefreshResource.configure_at_launch(root=str(root), state=str(state_folder(root)))}
    built = {product.name: _built(root, product, registry, resources) for product in plan.products}
    loaded = [objects for objects in built.values() if isinstance(objects, _Built)]
    refused = [rejected for rejected in built.values() if isinstance(rejected, RejectedProduct)]
    good = replace(plan, products=tuple(product for product in plan.products if isinstance(built[product.name], _Built)))
    evaluations = list(_evaluations(good, whole, resources)) if whole is not None else []
    return dg.Definitions(
        assets=[*(x for objects in loaded for x in objects.assets), *rejected_specs(root, [*plan.rejected, *refused])],
        asset_checks=[*(x for objects in loaded for x in objects.checks), *(x for evaluation in evaluations for x in evaluation.checks)],
        jobs=[
            *(x for objects in loaded for x in objects.jobs),
            *(evaluation.job for evaluation in evaluations),
            *(domain_job(root, domain, products, resources) for domain, products in running_products(good).items()),
        ],
        schedules=[*(x for objects in loaded for x in objects.schedules), *(evaluation.schedule for evaluation in evaluations)],
        sensors=[*_followings(root, good, loaded), *_deliveries(root, plan, whole or (lambda: plan), domains)],
        resources=resources,
        executor=dg.in_process_executor,
    )


def _evaluations(good: MeshPlan, whole: WholePlan, resources: Mapping[str, Any]) -> Iterator[Evaluation]:
    for domain, products in products_to_evaluate(good).items():
        yield evaluation(domain, products, whole, resources)


def _followings(root: Path, good: MeshPlan, loaded: Sequence[_Built]) -> Iterator[dg.SensorDefinition]:
    jobs = {job.name: job for objects in loaded for job in objects.jobs}
    for domain, products in running_products(good).items():
        own = {name: jobs[name] for product in products if (name := conventions.job_name(product.name)) in jobs}
        watching = source_sensor(root, state_folder(root), domain, products, jobs)
        sensors = following_sensor(domain, products, jobs, state_folder(root)), watching, lost_runs_sensor(domain, own)
        yield from (sensor for sensor in sensors if sensor is not None)


def _deliveries(root: Path, plan: MeshPlan, whole: WholePlan, domains: Sequence[str]) -> Iterator[dg.SensorDefinition]:
    """Also of a domain in which nothing runs: others may route to its channels."""
    with_channels = {domain.name for domain in plan.domains if domain.channels}
    with_products = {product.domain for product in plan.products}
    for domain in domains:
        if domain in with_channels | with_products:
            products = [product for product in plan.products if product.domain == domain]
            sinks = [product.name for product in products if any(port.settings.told_in == EVENTS for port in control_ports(product))]
            yield delivery_sensor(domain, [product.name for product in products], whole, state_folder(root), root, sinks)


def _built(root: Path, product: ProductPlan, registry: Registry, resources: Mapping[str, Any]) -> _Built | RejectedProduct:
    """What Dagster refuses, and validation let pass, takes down its own product and not the code location."""
    try:
        return _objects(root, product, registry, resources)
    except (dg.DagsterError, CheckError) as error:
        place, words = product.place, (str(error).strip() or type(error).__name__).splitlines()[0]
        problem = Problem(place.file, place.line, "", f"Dagster cannot load the product: {words}")
        return RejectedProduct(product.name, product.domain, place.file, (problem,))


def _objects(root: Path, product: ProductPlan, registry: Registry, resources: Mapping[str, Any]) -> _Built:
    minter = SpecMinter(root, product)
    external = tuple(_external_specs(product, minter))
    if not product.runs:
        return _Built(external)
    steps = tuple(_steps(product, minter, registry))
    audits = tuple(audit_step(product, minter, registry) for stage in stages(product) if isinstance(stage, Audit))
    job = _resolved_job(product, steps, audits, resources)
    return _Built((*external, *steps), audits, (job,), tuple(schedules(product, job, state_folder(root))))


def _external_specs(product: ProductPlan, minter: SpecMinter) -> Iterator[dg.AssetSpec]:
    """What the platform shows and does not run: sources, described inputs, known consumers; all of a product that is only proposed."""
    loaded = pulled_ports(product)
    yield from (spec for port in product.inputs if (spec := minter.source(port)) is not None)
    yield from (minter.input(port) for port in product.inputs if port not in loaded)
    yield from (minter.consumer(consumer) for consumer in product.consumers)
    if not product.runs:
        yield from (minter.output(port) for port in product.outputs)
        yield minter.scorecard()


def _steps(product: ProductPlan, minter: SpecMinter, registry: Registry) -> Iterator[dg.AssetsDefinition]:
    """The stages that make assets; an audit makes checks only."""
    for stage in stages(product):
        match stage:
            case Pull():
                yield pull_step(product, minter, stage)
            case Build():
                yield build_step(product, minter, registry)
            case Audit():
                continue
            case Publish():
                yield publish_step(product, minter)
            case Score():
                yield score_step(product, minter)
            case _:
                assert_never(stage)


def _refreshed_assets(product: ProductPlan) -> dg.AssetSelection:
    """Everything that one refresh of the product makes."""
    keys = [port.key for port in pulled_ports(product)]
    keys += [model.key for model in product.models] + [port.key for port in product.outputs] + [product.scorecard]
    return dg.AssetSelection.assets(*(asset_key(key) for key in keys))


def _resolved_job(
    product: ProductPlan,
    steps: tuple[dg.AssetsDefinition, ...],
    audits: tuple[dg.AssetChecksDefinition, ...],
    resources: Mapping[str, Any],
) -> dg.JobDefinition:
    """The product's job, resolved among its own assets.

    Dagster resolves a selection by going through all assets of the location: with 1,000 jobs over 11,000 assets that takes minutes.
    """
    own = AssetGraph.from_assets([*steps, *audits])
    return _job(product).resolve(own, default_executor_def=dg.in_process_executor, resource_defs=wrap_resources_for_execution(resources))


def _job(product: ProductPlan) -> UnresolvedAssetJobDefinition:
    return dg.define_asset_job(
        conventions.job_name(product.name),
        selection=_refreshed_assets(product),
        description=f"One refresh of {product.title}: pull, build, audit, publish, score.",
        tags={"product": product.name, "domain": product.domain},
        executor_def=dg.in_process_executor,
    )
