"""The plan as JSON and text, and the fingerprint that changes when a product changes."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Any

from platform_resources.access.views import DataSetViews
from platform_resources.plan.check_plans import SourceLine
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.plan.port_plans import InputPlan
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.durations import duration_text
from platform_resources.spec.values.field_types import UNCLASSIFIED


def plan_json(plan: MeshPlan | ProductPlan) -> str:
    """The plan as JSON, the same bytes for the same specs."""
    return json.dumps(plain(plan), indent=2, sort_keys=True, ensure_ascii=False)


# Who is told what, when, and under which terms, and what packages add: it changes neither what the product is nor how it is made.
_TOLD = frozenset({"routes", "rule", "patience", "incidents", "agreements", "offers", "extensions", "metrics", "semantic_models"})


_MOST_NAMED = 5


def fingerprint(product: ProductPlan) -> str:
    """Changes exactly when what the product is, or how it is made, changes; lines and comments of product.yaml are neither."""
    own = plain(dataclasses.replace(product, inputs=tuple(map(_own, product.inputs))), places=False)
    made = {field: value for field, value in own.items() if field not in _TOLD}
    made["info"] = {field: value for field, value in own["info"].items() if field not in _TOLD}
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]


def _own(port: InputPlan) -> InputPlan:
    """An input port without what its upstream promises: that, and the checks that come of it, change while the product stays."""
    if port.upstream is None:
        return dataclasses.replace(port, checks=())
    upstream = dataclasses.replace(port.upstream, columns=(), offers=None, views=DataSetViews(), domain_access=False)
    return dataclasses.replace(port, upstream=upstream, checks=())


def kept_back_text(product: ProductPlan) -> str:
    """What other domains do not get as nothing says its class, and what to do; empty where they get all, or an agreement decides."""
    unsaid = [column.name for data_set in product.data_sets for column in data_set.spec.columns if column.classification == UNCLASSIFIED]
    if product.offers.roles is not None or not unsaid or not product.outputs:
        return ""
    more = f" and {len(unsaid) - _MOST_NAMED} more" if len(unsaid) > _MOST_NAMED else ""
    nothing = all(data_set.views.open is None for data_set in product.data_sets)
    what = "get nothing of it until its columns" if nothing else f"do not get {', '.join(unsaid[:_MOST_NAMED])}{more} until they"
    todo = f"write classification: internal at the data set in {product.place.file}, or an agreement"
    return f"without an agreement other domains {what} have a class; {todo}"


def plain(value: Any, places: bool = True) -> Any:
    """Any part of a plan as JSON-compatible data. Without `places`, files and lines are left out."""
    match value:
        case SourceLine() if not places:
            return None
        case Strict():
            return plain(value.model_dump(by_alias=True, exclude_none=True), places)
        case timedelta():
            return duration_text(value)
        case date() | time():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(item, places) for key, item in value.items()}
        case list() | tuple():
            return [plain(item, places) for item in value]
        case _ if dataclasses.is_dataclass(value):
            return {f.name: plain(getattr(value, f.name), places) for f in dataclasses.fields(value) if _planned(f, getattr(value, f.name))}
        case _:
            return value


def _planned(field: "dataclasses.Field[Any]", value: object) -> bool:
    planned = field.metadata.get("planned", True)
    return value is not None if planned == "where there is one" else bool(planned)
