"""Plan one product from its document and the texts beside it."""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import timedelta

from platform_resources.capabilities.protocols import PullPort
from platform_resources.plan import conventions
from platform_resources.plan.check_plans import CheckPlan, IndicatorPlan, ObjectivePlan, SourceLine, undescribed
from platform_resources.plan.from_products.concerned_columns import concerned
from platform_resources.plan.from_products.dbt_files import files_of
from platform_resources.plan.from_products.dbt_nodes import DbtProject
from platform_resources.plan.from_products.input_plans import input_plan
from platform_resources.plan.from_products.mesh import Mesh, ProductTexts
from platform_resources.plan.from_products.planned_access import offers_of, planned_views
from platform_resources.plan.from_products.planned_joins import planned_joins
from platform_resources.plan.from_products.planned_models import planned_exposures, planned_metrics, planned_models, planned_semantic_models
from platform_resources.plan.from_products.planned_routes import incidents_of, owners_of, patience_of, product_routes, rule_of
from platform_resources.plan.from_products.ports import is_elsewhere, port_key
from platform_resources.plan.from_products.subjects import (
    is_about_the_product,
    judged_data_set,
    measured_by,
    probed_ports,
    relation_of,
    subject,
)
from platform_resources.plan.model_plans import DataSetPlan, ModelPlan
from platform_resources.plan.needed_inputs import needed_inputs
from platform_resources.plan.plan import AgreementPlan, ExtensionPlan, ProductPlan, SampleQueryPlan
from platform_resources.plan.port_plans import ConsumerPlan, InputPlan, OutputPlan
from platform_resources.plan.promised_ages import promised_age
from platform_resources.plan.validation.planned_stages import planned_stages
from platform_resources.spec.components import DataSet, OutputPort, ServiceLevelAsset
from platform_resources.spec.indicators import ServiceLevelIndicator
from platform_resources.spec.product import Declared, Product, former_names, model_name, runs
from platform_resources.spec.values.deadlines import MaxAge


def product_plan(mesh: Mesh, product: Product) -> ProductPlan:
    """The plan of one product, which must have no errors."""
    inputs = tuple(input_plan(mesh, product, port) for port in product.input_ports)
    incidents = incidents_of(mesh, product)
    models = planned_models(mesh, product) if runs(product) else ()
    objectives = (*_objectives(mesh, product), *planned_joins(mesh, product))
    return ProductPlan(
        name=product.name,
        title=product.title,
        domain=product.domain,
        group=conventions.group(product.domain, product.name),
        info=product.info,
        owners=owners_of(mesh, product),
        place=SourceLine.of(product.origin),
        runs=runs(product) and bool(models),
        inputs=inputs,
        models=models,
        data_sets=tuple(_data_set(mesh, product, d) for d in product.data_sets),
        objectives=objectives,
        indicators=planned_indicators(mesh, product, objectives) if models else (),
        outputs=tuple(_outputs(mesh, product, inputs, models)),
        consumers=(*_services(mesh, product), *_consumers(mesh, product), *planned_exposures(mesh, product)),
        metrics=tuple(planned_metrics(mesh, product)),
        semantic_models=tuple(planned_semantic_models(mesh, product)),
        sample_queries=tuple(_sample_queries(product)),
        agreements=tuple(AgreementPlan(agreement.name, agreement.title, agreement.config) for agreement in product.agreements),
        offers=offers_of(mesh, product),
        extensions=tuple(
            ExtensionPlan(extension.name, extension.title, extension.type, extension.config) for extension in product.extensions
        ),
        scorecard=conventions.scorecard_key(product.name),
        refresh=product.info.refresh,
        texts_digest=_texts_digest(mesh.texts_of(product), mesh.project_of(product)),
        files=files_of(mesh, product, mesh.project_of(product)) if models else (),
        routes=product_routes(mesh, product),
        rule=rule_of(incidents),
        patience=patience_of(incidents),
        classes=mesh.governance.governance.classes,
        terms=_terms(mesh, product),
        stages=planned_stages(mesh, product),
    )


def _terms(mesh: Mesh, product: Product) -> dict[str, str]:
    described = {term.name: term.description for term in mesh.governance.governance.terms}
    return {tag: described[tag] for tag in product.tags if tag in described}


def _texts_digest(texts: ProductTexts, project: DbtProject) -> str:
    tests = sorted((test.of, test.name, test.digest) for test in project.tests)
    return hashlib.sha256(repr((tests, sorted(texts.modules.items()), project.digest)).encode()).hexdigest()[:16]


def _data_set(mesh: Mesh, product: Product, data_set: Declared[DataSet]) -> DataSetPlan:
    model = model_name(data_set)
    relation = relation_of(mesh, product, model)
    views = planned_views(product, data_set.config)
    shown = tuple(column.name for column in data_set.config.columns if column.shown)
    return DataSetPlan(data_set.name, data_set.title, model, data_set.config, relation, views, shown, SourceLine.of(data_set.origin))


def _objectives(mesh: Mesh, product: Product) -> Iterator[ObjectivePlan]:
    """Objectives on a data set become checks of its model; those about the whole product become checks of its scorecard."""
    for objective in product.objectives:
        data_set = judged_data_set(mesh.registry, product, objective)
        if data_set is not None or is_about_the_product(mesh.registry, objective):
            yield _objective(mesh, product, objective, data_set)


def _objective(mesh: Mesh, product: Product, objective: Declared[ServiceLevelAsset], data_set: Declared[DataSet] | None) -> ObjectivePlan:
    gate = objective.config.gate
    on_model = conventions.model_key(product.name, model_name(data_set)) if data_set is not None else None
    check = CheckPlan(
        name=conventions.check_name(objective.title),
        key=on_model or conventions.scorecard_key(product.name),
        kind="objective",
        title=objective.title,
        description=objective.config.description or undescribed(objective.variant),
        blocking=gate,
        severity="error" if gate or objective.error_settings is not None else objective.config.severity,
        place=SourceLine.of(objective.origin),
        columns=concerned(mesh.registry, objective, data_set),
        target=objective.config.business_target,
        former_names=former_names(objective),
    )
    return ObjectivePlan(
        check,
        objective.variant,
        objective.settings,
        data_set.name if data_set is not None else "",
        subject(mesh, product, data_set),
        measured_by(mesh.registry, objective),
        probed_ports(mesh.registry, product, objective),
        objective.error_settings,
        before_build=mesh.registry.dimensions()[objective.variant].before_build(objective.settings),
    )


def planned_indicators(mesh: Mesh, product: Product, objectives: tuple[ObjectivePlan, ...]) -> tuple[IndicatorPlan, ...]:
    """The indicators that watch these objectives of the product."""
    return tuple(_indicator(mesh, product, indicator, objectives) for indicator in product.indicators)


def _indicator(
    mesh: Mesh, product: Product, indicator: Declared[ServiceLevelIndicator], objectives: tuple[ObjectivePlan, ...]
) -> IndicatorPlan:
    named = indicator.config.service_level_name
    objective = next(o for o in objectives if named in (o.check.title, o.check.name))
    ports = [port.name for port in product.output_ports if _data_set_name(product, port) == objective.data_set]
    check = CheckPlan(
        name=conventions.check_name(indicator.title),
        key=conventions.scorecard_key(product.name),
        kind="indicator",
        title=indicator.title,
        description=indicator.config.description or f"How well the objective {objective.check.title} is kept over time.",
        blocking=False,
        severity="warning",
        place=SourceLine.of(indicator.origin),
        former_names=former_names(indicator),
    )
    spec = mesh.with_exclusions(product.domain, indicator.config)
    max_age = promised_age(objective, mesh.registry.dimensions()[objective.dimension])
    return IndicatorPlan(check, spec, objective.check, objective.dimension, objective.data_set, max_age, tuple(ports))


def _data_set_name(product: Product, port: Declared[OutputPort]) -> str:
    data_set = product.data_set(port.config.data_set)
    return data_set.name if data_set is not None else ""


def _outputs(mesh: Mesh, product: Product, inputs: Sequence[InputPlan], models: Sequence[ModelPlan]) -> Iterator[OutputPlan]:
    for port in product.output_ports:
        data_set = product.data_set(port.config.data_set)
        if data_set is not None and not is_elsewhere(mesh.registry, port):
            yield _output(mesh, product, port, data_set, _fresh_for(mesh, product, data_set, inputs, models))


def _output(mesh: Mesh, product: Product, port: Declared[OutputPort], data_set: Declared[DataSet], fresh_for: MaxAge | None) -> OutputPlan:
    interface = mesh.registry.output_interfaces()[port.variant]
    return OutputPlan(
        name=port.name,
        title=port.title,
        description=port.config.description or data_set.config.description,
        key=conventions.output_key(product.name, port.name),
        interface=port.variant,
        kind=interface.kind,
        data_set=data_set.name,
        model=model_name(data_set),
        store=interface.store(port.settings),
        keep_versions=port.config.keep_versions or product.info.keep_versions,
        fresh_for=fresh_for,
        folder=conventions.port_folder(product.domain, product.name, port.name),
        place=SourceLine.of(port.origin),
        retention=port.config.retention or data_set.config.retention,
        former_names=former_names(port),
        version=port.config.version,
        replacement=port.config.replacement,
        end_date=port.config.end_date,
    )


def _fresh_for(
    mesh: Mesh, product: Product, data_set: Declared[DataSet], inputs: Sequence[InputPlan], models: Sequence[ModelPlan]
) -> MaxAge | None:
    """The strictest freshness promised, where a version is as old as its own run's pulls: no row and no other product tells its age."""
    needed = needed_inputs(inputs, models, model_name(data_set))
    if data_set.config.updated_at is not None or any(isinstance(port.pull, PullPort) for port in needed):
        return None
    about = [o for o in product.objectives if product.data_set(o.config.data_set) is data_set]
    promised = (mesh.registry.dimensions()[o.variant].max_age(o.settings) for o in about)
    ages = [max_age for max_age in promised if max_age is not None]
    return min((age for age in ages if isinstance(age, timedelta)), default=ages[0] if ages else None)


def _services(mesh: Mesh, product: Product) -> Iterator[ConsumerPlan]:
    """Output ports that the platform does not run; each is made from what the other ports of its data set give."""
    for port in product.output_ports:
        data_set = product.data_set(port.config.data_set)
        if data_set is None or not is_elsewhere(mesh.registry, port):
            continue
        siblings = [other for other in product.output_ports if product.data_set(other.config.data_set) is data_set]
        yield ConsumerPlan(
            name=port.name,
            title=port.title,
            key=conventions.consumer_key(product.name, port.name),
            kind=port.variant,
            dependencies=tuple(port_key(mesh.registry, product, other) for other in siblings if not is_elsewhere(mesh.registry, other)),
            url=mesh.registry.output_interfaces()[port.variant].store(port.settings).address,
            owner=None,
            description=port.config.description,
            place=SourceLine.of(port.origin),
            probe=True,
            data_set=data_set.name,
        )


def _consumers(mesh: Mesh, product: Product) -> Iterator[ConsumerPlan]:
    for consumer in product.consumers:
        ports = [product.output_port(name) for name in consumer.config.uses]
        yield ConsumerPlan(
            name=consumer.name,
            title=consumer.title,
            key=conventions.consumer_key(product.name, consumer.name),
            kind=consumer.config.kind,
            dependencies=tuple(port_key(mesh.registry, product, port) for port in ports if port is not None),
            url=consumer.config.url,
            owner=consumer.config.owner,
            description=consumer.config.description,
            place=SourceLine.of(consumer.origin),
            probe=consumer.config.probe,
        )


def _sample_queries(product: Product) -> Iterator[SampleQueryPlan]:
    for query in product.sample_queries:
        port = product.output_port(query.config.port)
        yield SampleQueryPlan(query.name, query.title, port.name if port else query.config.port, query.config.sql, query.config.description)
