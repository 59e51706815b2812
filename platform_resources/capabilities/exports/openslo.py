"""The export `openslo`."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from platform_resources.capabilities.protocols import Exported, NoExportSettings, WrittenOnly
from platform_resources.interchange.bitol_parts import Fields, filled
from platform_resources.interchange.foreign_yaml import foreign_text
from platform_resources.spec.indicators import ServiceLevelIndicator
from platform_resources.spec.product import Declared, Product
from platform_resources.spec.values.names import slug

_API = "openslo/v1"
_METHODS = {"timeslices": "Timeslices", "ratio-timeslices": "RatioTimeslices", "occurrences": "Occurrences"}
_CALENDAR = {"month": "1M", "quarter": "1Q"}
_UNITS = (("w", timedelta(weeks=1)), ("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)))


class OpenSlo(WrittenOnly):
    """The indicators with a target, as SLOs of OpenSLO v1, each with its indicator and window; and the product as their service.

    The source of each metric is the platform itself: `type: mesh`, with the product, the objective and what is counted.
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
        return "---\n".join(map(foreign_text, _documents(source.product)))


def _documents(product: Product) -> Iterator[Fields]:
    yield {
        "apiVersion": _API,
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
        "spec": {"ratioMetric": {"counter": False, "good": _metric(product, said, "good"), "total": _metric(product, said, "all")}},
    }
    spec = filled(
        description=said.description[:1050],
        service=_name(product.name),
        indicator=metric,
        timeWindow=[_window(said)],
        budgetingMethod=_METHODS[said.method],
        objectives=[_objective(indicator)],
    )
    return {"apiVersion": _API, "kind": "SLO", "metadata": _metadata(f"{product.name}_{indicator.name}", indicator.title), "spec": spec}


def _objective(indicator: Declared[ServiceLevelIndicator]) -> Fields:
    """A slice is good where all measured in it is; an indicator that has a target for its slices says otherwise."""
    said = indicator.config
    slices: Fields = {}
    if said.method != "occurrences":
        share = said.slice_target / 100 if said.slice_target is not None else 1
        slices = {"timeSliceWindow": _length(said.interval)} | ({"timeSliceTarget": share} if said.method == "timeslices" else {})
    return {"displayName": indicator.title, "target": round((said.target or 0) / 100, 9), **slices}


def _window(said: ServiceLevelIndicator) -> Fields:
    if isinstance(said.window, str):
        calendar = {"startTime": "2024-01-01 00:00:00", "timeZone": said.timezone}
        return {"duration": _CALENDAR[said.window], "isRolling": False, "calendar": calendar}
    return {"duration": _length(said.window), "isRolling": True}


def _length(length: timedelta) -> str:
    """In the largest unit in which it is whole, rounded up to minutes: OpenSLO has no seconds."""
    unit, size = next(((unit, size) for unit, size in _UNITS if not length % size), _UNITS[-1])
    return f"{-(-length // size)}{unit}"


def _metric(product: Product, said: ServiceLevelIndicator, counted: str) -> Fields:
    spec: dict[str, Any] = {"product": product.name, "objective": said.service_level_name, "count": counted}
    return {"metricSource": {"type": "mesh", "spec": spec}}


def _metadata(name: str, title: str) -> Fields:
    return {"name": _name(name), "displayName": title}


def _name(text: str) -> str:
    """As Kubernetes takes names: at most 63 small letters, digits and hyphens."""
    return slug(text).replace("_", "-")[:63].strip("-")


CAPABILITY = OpenSlo()
