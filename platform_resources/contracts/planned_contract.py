"""The contract of a planned product: what its documents promise, as plain data."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from platform_resources.access.views import DataSetViews
from platform_resources.capabilities.judgements import Moment, Promise
from platform_resources.capabilities.readers.kafka_clients import StreamTopic
from platform_resources.capabilities.registry import installed_registry
from platform_resources.contracts.contract import (
    WITHOUT_AGREEMENT,
    Contract,
    ContractAgreement,
    ContractColumn,
    ContractDataSet,
    ContractPort,
    ContractPromise,
)
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import ConsumerPlan, OutputPlan
from platform_resources.plan.promised_ages import promised_age
from platform_resources.redaction.redaction import mask
from platform_resources.spec.agreements import DataSharingAgreement
from platform_resources.spec.components import Column, DataProduct
from platform_resources.spec.values.column_names import folded_column
from platform_resources.spec.values.deadlines import Deadlines
from platform_resources.spec.values.names import slug

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
# With any of these a dbt test does not fail wherever a row breaks it.
_SOFTENED = frozenset(("where", "severity", "limit", "error_if", "warn_if", "fail_calc", "enabled"))


def contract_of(product: ProductPlan, models: Mapping[str, str]) -> Contract:
    """The contract of a planned product; `models` are the texts of its SQL models, by name."""
    info = product.info
    return Contract(
        product=product.name,
        domain=product.domain,
        version=info.version,
        lifecycle=info.lifecycle,
        replacement=info.replacement or "",
        end_date=info.end_date,
        domain_access=info.domain_access,
        data_sets=tuple(_data_set(data_set) for data_set in product.data_sets),
        ports=(
            *(_port(port) for port in product.outputs),
            *(_service(service) for service in product.consumers if service.data_set is not None),
        ),
        promises=(*chain.from_iterable(_objectives(o) for o in product.objectives if o.key is None), *_indicators(product)),
        agreements=tuple(_agreement(agreement.name, agreement.spec) for agreement in product.agreements),
        models={name: _digest(" ".join(sql.split())) for name, sql in models.items()},
        words=_digest(_words(info), product.title, repr(product.sample_queries)),
        former=product.former_names,
    )


def _words(info: DataProduct) -> str:
    """Whatever else the product says of itself, with which no reader's work breaks."""
    elsewhere = {"renamed_from", "version", "lifecycle", "replacement", "end_date", "domain_access"}
    return info.model_dump_json(exclude=elsewhere)


def _data_set(data_set: DataSetPlan) -> ContractDataSet:
    spec = data_set.spec
    return ContractDataSet(
        name=data_set.name,
        table=data_set.model,
        key=tuple(spec.primary_key),
        updated_at=spec.updated_at or "",
        columns=tuple(_column(column) for column in spec.columns),
        seen={reader: {column.name: column.how for column in view.columns} for reader, view in _views(data_set.views)},
        rows={reader: view.rows for reader, view in _views(data_set.views) if view.rows},
        words=_digest(spec.description, data_set.title),
        former=tuple(map(slug, spec.renamed_from or ())),
    )


def _views(views: DataSetViews) -> Iterator[tuple[str, Any]]:
    """By reader: the role, with its attributes where it has some."""
    if views.open is not None:
        yield WITHOUT_AGREEMENT, views.open
    for offered in views.roles:
        if offered.view is not None:
            yield " ".join((offered.role, *(f"{name}={value}" for name, value in offered.attributes))), offered.view


def _column(column: Column) -> ContractColumn:
    tests = dict(map(_test, column.tests))
    values = _unsoftened(tests, "accepted_values")
    unique = _unsoftened(tests, "unique") is not None
    nullable = column.nullable and _unsoftened(tests, "not_null") is None
    return ContractColumn(
        name=column.name,
        type=column.type,
        nullable=nullable,
        unique=unique,
        unit=column.unit or "",
        identifier=column.identifier or "",
        values=tuple(map(str, _arguments(values).get("values", ()))) if values is not None else None,
        missing=tuple(map(str, column.missing or ())),
        classification=column.classification,
        tests=tuple(sorted(f"{name} {_json(said)}" for name, said in tests.items())),
        words=_digest(column.description, *column.tags, column.identifier or ""),
        former=tuple(map(folded_column, column.renamed_from or ())),
    )


def _unsoftened(tests: dict[str, Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    """Take a test out that holds of every row; one that is softened promises less, and stays among the others."""
    said = tests.get(name, {})
    return None if _SOFTENED & {*said, *(said.get("config") or {})} else tests.pop(name, None)


def _test(test: Any) -> tuple[str, Mapping[str, Any]]:
    """Kind and what is said of a dbt test, written as a word or as a mapping."""
    if isinstance(test, str):
        return test, {}
    name = next(iter(test))
    return name, test[name] or {}


def _arguments(said: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**said, **(said.get("arguments") or {})}


def _port(port: OutputPlan) -> ContractPort:
    return ContractPort(
        name=port.name,
        data_set=port.data_set,
        interface=port.interface,
        format=port.store.format,
        topic=_topic(port.store.stream),
        address=mask(port.store.address or ""),
        keep_versions=port.keep_versions,
        retention_days=port.retention.total_seconds() / 86400 if port.retention else None,
        version=port.version or "",
        replacement=port.replacement or "",
        end_date=port.end_date,
        words=_digest(port.title, port.description),
        former=port.former_names,
    )


def _topic(stream: StreamTopic | None) -> str:
    """In words: which topic, where, and as whom its readers see the data set."""
    return f"topic {stream.topic} at {mask(stream.servers)}, as {stream.role or 'everybody'} sees it" if stream is not None else ""


def _service(service: ConsumerPlan) -> ContractPort:
    words, address = _digest(service.title, service.description), mask(service.url or "")
    return ContractPort(name=service.name, data_set=service.data_set or "", interface=service.kind, address=address, words=words)


def _objectives(objective: ObjectivePlan) -> Iterator[ContractPromise]:
    """An objective; one with a threshold for a warning and one for an error is two promises."""
    check = objective.check
    strength = 0 if check.target else 3 if check.blocking else 2 if check.severity == "error" else 1
    worse = objective.error_settings
    yield _objective(objective, "", 1 if worse is not None else strength)
    if worse is not None:
        yield _objective(replace(objective, settings=worse), ", as an error", strength)


def _objective(objective: ObjectivePlan, level: str, strength: int) -> ContractPromise:
    check, promise = objective.check, _promise(objective)
    settings = objective.settings.model_dump(mode="json")
    logic = str(settings.pop("metric", "") or "")
    bounded = {key: value for key, value in settings.items() if key not in _bounds(promise, objective)}
    return ContractPromise(
        name=f"{check.name}{level}",
        dimension=objective.dimension,
        data_set=objective.data_set,
        columns=check.columns,
        unit=promise.unit,
        at_least=promise.at_least,
        at_most=promise.at_most,
        strength=strength,
        settings=_json(bounded),
        logic=mask(logic),
        words=_digest(check.title, check.description),
        former=tuple(f"{name}{level}" for name in check.former_names),
    )


def _promise(objective: ObjectivePlan) -> Promise:
    """Without bounds where these move with the clock: what deadlines ask for is told by the settings alone."""
    promise = installed_registry().dimensions()[objective.dimension].promise(objective.settings, Moment(_NEVER))
    by_deadline = isinstance(promised_age(objective), Deadlines)
    return replace(promise, at_least=None, at_most=None) if by_deadline else promise


def _bounds(promise: Promise, objective: ObjectivePlan) -> frozenset[str]:
    """The settings that are nothing but the promise's bounds: with any of them left out it promises something else, or nothing."""
    wanted = {value for value in (promise.at_least, promise.at_most) if value is not None}
    numbers = {name: getattr(objective.settings, name) for name in type(objective.settings).model_fields}
    return frozenset(name for name, value in numbers.items() if _number(value) in wanted)


def _number(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return value.total_seconds() if hasattr(value, "total_seconds") else None


def _indicators(product: ProductPlan) -> Iterator[ContractPromise]:
    for indicator in product.indicators:
        settings = indicator.spec.model_dump(mode="json", exclude={"target", "description", "renamed_from"})
        yield ContractPromise(
            name=indicator.check.name,
            dimension="indicator",
            data_set=indicator.data_set,
            columns=indicator.check.columns,
            unit="%",
            at_least=indicator.spec.target,
            strength=1,
            settings=_json(settings),
            words=_digest(indicator.check.title, indicator.check.description),
            former=indicator.check.former_names,
        )


def _agreement(name: str, spec: DataSharingAgreement) -> ContractAgreement:
    return ContractAgreement(
        name=name,
        purpose=spec.purpose,
        terms=spec.terms,
        approval=spec.approval,
        duration_days=spec.duration.total_seconds() / 86400 if spec.duration else None,
        notice_days=spec.notice_period.total_seconds() / 86400 if spec.notice_period else None,
        roles=tuple(role.role for role in spec.roles),
        granted=tuple(f"{grant.role} to {grant.to}" for grant in spec.grants),
    )


def _json(value: Any) -> str:
    return json.dumps(_shown(value), sort_keys=True, ensure_ascii=False, default=str)


def _shown(value: Any) -> Any:
    """Without what looks like a credential: contracts are kept for ever, and read by others than the owners."""
    match value:
        case str():
            return mask(value)
        case Mapping():
            return {key: _shown(item) for key, item in value.items()}
        case list() | tuple():
            return [_shown(item) for item in value]
        case _:
            return value


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
