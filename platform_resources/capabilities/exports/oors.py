"""The export `oors`."""

from datetime import UTC
from uuid import NAMESPACE_URL, uuid5

from platform_resources.capabilities.protocols import Exported, NoExportSettings, NothingToTell, ObjectiveResult, WrittenOnly
from platform_resources.interchange.bitol_parts import Fields, filled
from platform_resources.interchange.contract_quality import DIMENSIONS
from platform_resources.interchange.foreign_yaml import foreign_text
from platform_resources.spec.components import ServiceLevelAsset
from platform_resources.spec.product import Declared

_API = "v0.8.1"


class ObservabilityResults(WrittenOnly):
    """What each objective said last, as results of the Open Observability Results Standard (OORS), of its draft 0.8.1.

    Experimental: the draft changes until its version 1. What has not been judged is `unknown`, never `pass`.
    """

    name = "oors"
    config = NoExportSettings
    media_type = "application/yaml"
    ending = ".oors.yaml"
    example = """
- name: One row per order
  type: service-level-asset
  properties: {dimension: uniqueness, data_set: orders, severity: error}
"""

    def text(self, settings: NoExportSettings, source: Exported) -> str:
        product, said = source.product, source.seen().results
        judged = {promise.title: said[promise.title] for promise in product.objectives if promise.title in said}
        if not judged:
            raise NothingToTell("control ports tell no results, or none of its objectives has been judged yet, which `mesh refresh` does")
        at = max(result.at for result in judged.values()).astimezone(UTC).isoformat()
        document = {
            "apiVersion": _API,
            "kind": "ObservabilityResults",
            "id": str(uuid5(NAMESPACE_URL, f"urn:data-product:{product.name}:results:{at}")),
            "observedAt": at,
            "source": {"process": product.name, "vendor": "mesh"},
            "results": [_result(f"{product.name}.{promise.name}", promise, judged.get(promise.title)) for promise in product.objectives],
        }
        return foreign_text(document)


def _result(name: str, promise: Declared[ServiceLevelAsset], said: ObjectiveResult | None) -> Fields:
    declared = promise.config
    own = {"id": name, "type": "check", "name": promise.title, "status": _status(said)}
    table = {"resourceType": "table", "resourceIdentifier": declared.data_set} if declared.data_set else None
    about = filled(dimension=DIMENSIONS.get(declared.dimension), target=table)
    if said is None:
        return {**own, **about, "message": "not judged yet"}
    unit = {"%": "percent"}.get(said.unit, said.unit)
    measured = filled(value=said.value, threshold=_threshold(said), unit=unit, failedRowCount=said.failing_rows)
    judged = [{"property": "judgedAt", "value": said.at.astimezone(UTC).isoformat()}]
    return {**own, "severity": said.severity, **about, **filled(measure=measured, message=said.reason), "customProperties": judged}


def _status(said: ObjectiveResult | None) -> str:
    if said is None or said.verdict == "unknown":
        return "unknown"
    return "pass" if said.verdict == "met" else "fail" if said.severity == "error" else "warn"


def _threshold(said: ObjectiveResult) -> Fields:
    low, high = said.at_least, said.at_most
    if low is None or high is None:
        return filled(mustBeGreaterOrEqualTo=low, mustBeLessOrEqualTo=high)
    return {"mustBe": low} if low == high else {"mustBeBetween": [low, high]}


CAPABILITY = ObservabilityResults()
