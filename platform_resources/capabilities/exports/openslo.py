"""The export `openslo`."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from platform_resources.capabilities.protocols import Exported, NoExportSettings
from platform_resources.capabilities.registry import installed_registry
from platform_resources.interchange.bitol_parts import Fields, filled
from platform_resources.interchange.differences import applied, difference
from platform_resources.interchange.foreign_yaml import foreign_text
from platform_resources.interchange.product_text import components_of, document_text
from platform_resources.interchange.round_trips import CARRIER, Import
from platform_resources.interchange.slo_documents import (
    API,
    CALENDAR,
    METHODS,
    NEAREST_TO_ALL,
    carried_problems,
    key_of,
    keyed,
    read_documents,
    slo_components,
)
from platform_resources.spec.indicators import ServiceLevelIndicator
from platform_resources.spec.problems import Problem
from platform_resources.spec.product import Declared, Product
from platform_resources.spec.reading import read_product
from platform_resources.spec.values.names import slug

_UNITS = (("w", timedelta(weeks=1)), ("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)))


class OpenSlo:
    """The indicators with a target, as SLOs of OpenSLO v1, each with its indicator and window; and the product as their service.

    The source of each metric is the platform itself: `type: mesh`, with the product, the objective and what is counted. An import makes a
    product of the service, and carries along the SLOs that others measure.
    """

    name = "openslo"
    config = NoExportSettings
    media_type = "application/yaml"
    ending = ".openslo.yaml"
    example = """
- name: Fresh orders over a rolling 20 days
  type: service-level-indicator
  properties: {service_level_name: Orders are fresh, interval: 1d, window: 20d, target: 95}
"""

    def text(self, settings: NoExportSettings, source: Exported) -> str:
        named = (part["properties"] for part in components_of(source.product) if (part["type"], part["name"]) == (CARRIER, self.name))
        carried: Fields = next(named, {})
        documents = applied({key_of(document): document for document in _documents(source.product)}, carried.get("changes", []))
        return "---\n".join(map(foreign_text, documents.values()))

    def imported(self, text: str, file: str, name: str, domain: str) -> Import | None:
        documents, problems = read_documents(text, file)
        if not domain:
            problems.append(Problem(file, 1, "", "OpenSLO knows no domains, so say whose the product is", "--domain NAME"))
        if problems:
            return Import("", name, domain, tuple(problems))
        components = slo_components(documents, name, domain)
        names = components[1]["name"], components[0]["name"]
        reading = read_product(document_text(names[0], components), file, installed_registry())
        if reading.product is None:
            return Import("", *names, reading.problems)
        own = {key_of(document): document for document in _documents(reading.product)}
        changes = list(difference(own, keyed(documents)))
        carrier = {"name": self.name, "type": CARRIER, "properties": {"version": API, "changes": changes}}
        every = [*components_of(reading.product), *([carrier] if changes else [])]
        warnings = tuple(carried_problems(documents, changes))
        return Import(document_text(names[0], every), *names, warnings, tuple(".".join(change["at"]) for change in changes))


def _documents(product: Product) -> Iterator[Fields]:
    yield {
        "apiVersion": API,
        "kind": "Service",
        "metadata": _metadata(product.name, product.title),
        "spec": filled(description=product.info.description[:1050]),
    }
    for indicator in product.indicators:
        if indicator.config.target is not None:
            yield _slo(product, indicator)


def _slo(product: Product, indicator: Declared[ServiceLevelIndicator]) -> Fields:
    said = indicator.config
    metric = {
        "metadata": _metadata(f"{product.name}_{indicator.name}_sli", said.service_level_name),
        "spec": {"ratioMetric": {"counter": False, "good": _metric(product, said, "good"), "total": _total(product, said)}},
    }
    spec = filled(
        description=said.description[:1050],
        service=_name(product.name),
        indicator=metric,
        timeWindow=[_window(said)],
        budgetingMethod="Timeslices" if said.slice_target is not None else METHODS[said.method],
        objectives=[_objective(indicator)],
    )
    return {"apiVersion": API, "kind": "SLO", "metadata": _metadata(f"{product.name}_{indicator.name}", indicator.title), "spec": spec}


def _objective(indicator: Declared[ServiceLevelIndicator]) -> Fields:
    """A slice is good where all measured in it is; an indicator that has a target for its slices says otherwise."""
    said = indicator.config
    slices: Fields = {}
    if said.method != "occurrences":
        share = said.slice_target / 100 if said.slice_target is not None else 1
        counts = said.method == "timeslices" or said.slice_target is not None
        slices = {"timeSliceWindow": _length(said.interval)} | ({"timeSliceTarget": share} if counts else {})
    return {"displayName": indicator.title, "target": min(round((said.target or 0) / 100, 9), NEAREST_TO_ALL), **slices}


def _window(said: ServiceLevelIndicator) -> Fields:
    if isinstance(said.window, str):
        calendar = {"startTime": "2024-01-01 00:00:00", "timeZone": said.timezone}
        return {"duration": CALENDAR[said.window], "isRolling": False, "calendar": calendar}
    return {"duration": _length(said.window), "isRolling": True}


def _length(length: timedelta) -> str:
    """In the largest unit in which it is whole, rounded up to minutes: OpenSLO has no seconds."""
    unit, size = next(((unit, size) for unit, size in _UNITS if not length % size), _UNITS[-1])
    return f"{-(-length // size)}{unit}"


def _metric(product: Product, said: ServiceLevelIndicator, counted: str) -> Fields:
    spec: dict[str, Any] = {"product": product.name, "objective": said.service_level_name, "count": counted}
    return {"metricSource": {"type": "mesh", "spec": spec}}


def _total(product: Product, said: ServiceLevelIndicator) -> Fields:
    """All that is counted, and of what: the objective as product.yaml says it."""
    metric = _metric(product, said, "all")
    objective = next(
        (part for part in components_of(product) if part["name"] == said.service_level_name and "dimension" in part["properties"]), None
    )
    if objective is not None:
        metric["metricSource"]["spec"]["promise"] = objective["properties"]
    return metric


def _metadata(name: str, title: str) -> Fields:
    return {"name": _name(name), "displayName": title}


def _name(text: str) -> str:
    """As Kubernetes takes names: at most 63 small letters, digits and hyphens."""
    return slug(text).replace("_", "-")[:63].strip("-")


CAPABILITY = OpenSlo()
