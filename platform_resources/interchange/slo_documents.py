"""Documents of OpenSLO v1 as the components of a product, with every place that the platform has no word for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from platform_resources.interchange.bitol_parts import Fields, filled, group
from platform_resources.interchange.foreign_yaml import read_foreign
from platform_resources.interchange.product_text import Component
from platform_resources.spec.document import Document, Place
from platform_resources.spec.problems import Problem
from platform_resources.spec.values.names import slug

API = "openslo/v1"
KINDS = ("Service", "SLO", "SLI", "DataSource", "AlertPolicy", "AlertCondition", "AlertNotificationTarget")
METHODS = {"timeslices": "Timeslices", "ratio-timeslices": "RatioTimeslices", "occurrences": "Occurrences"}
CALENDAR = {"month": "1M", "quarter": "1Q"}
# OpenSLO takes no target of 100 %: what is nearest to it stands for it.
NEAREST_TO_ALL = 0.999999999
_DURATION = re.compile(r"[1-9][0-9]*[mhdwMQY]")
_MARK = re.compile(r"---(\s.*)?")


def read_documents(text: str, file: str) -> tuple[list[Document], list[Problem]]:
    """Every document of a file, with the lines that it has there, and what is no document of OpenSLO v1."""
    documents, problems = list[Document](), list[Problem]()
    for part in _parts(text):
        document = read_foreign(part, file)
        wrong = [document] if isinstance(document, Problem) else list(_problems(document))
        problems += wrong
        documents += [] if isinstance(document, Problem) else [document]
    if not documents and not problems:
        problems.append(Problem(file, 1, "", "the file is empty", "give a file with documents of OpenSLO v1"))
    return documents, problems


def _parts(text: str) -> Iterator[str]:
    """Each document behind as many empty lines as stand before it, so that its lines are those of the file."""
    lines, first = text.splitlines(), 0
    for number, line in enumerate([*lines, "---"]):
        if _MARK.fullmatch(line):
            if any(inner.strip() and not inner.lstrip().startswith("#") for inner in lines[first:number]):
                yield "\n" * first + "\n".join(lines[first:number]) + "\n"
            first = number + 1


def _problems(document: Document) -> Iterator[Problem]:
    """What the standard does not take, as far as it is read here."""
    said = document.data
    if said.get("apiVersion") != API:
        yield document.problem(("apiVersion",), f'apiVersion is "{said.get("apiVersion")}"; only {API} is read')
    elif said.get("kind") not in KINDS:
        yield document.problem(("kind",), f'kind is "{said.get("kind")}"; known: {", ".join(KINDS)}')
    elif not isinstance(group(said, "metadata").get("name"), str):
        yield document.problem(("metadata", "name"), "every document has a metadata.name")
    elif said["kind"] == "SLO":
        yield from _slo_problems(document, group(said, "spec"))


def _slo_problems(document: Document, spec: Fields) -> Iterator[Problem]:
    if not isinstance(spec.get("service"), str):
        yield document.problem(("spec", "service"), "an SLO says the service that it is of")
    if spec.get("budgetingMethod") not in METHODS.values():
        yield document.problem(("spec", "budgetingMethod"), f"budgetingMethod is one of {', '.join(METHODS.values())}")
    windows = _mappings(spec, "timeWindow")
    if len(windows) != 1 or _DURATION.fullmatch(str(windows[0].get("duration", ""))) is None:
        yield document.problem(("spec", "timeWindow"), "an SLO has one window, with a duration such as 28d or 1M")
    objectives = _mappings(spec, "objectives")
    if not objectives:
        yield document.problem(("spec", "objectives"), "an SLO has at least one objective")
    for number, objective in enumerate(objectives):
        targets = [share for share in (objective.get("target"), _percent(objective)) if share is not None]
        if len(targets) != 1 or not isinstance(targets[0], int | float) or not 0 <= targets[0] < 1:
            what = "an objective has either a target from 0 to below 1, or a targetPercent from 0 to below 100"
            yield document.problem(("spec", "objectives", number), what)


def slo_components(documents: list[Document], name: str, domain: str) -> list[Component]:
    """The service as a product, and each SLO that the platform measures itself with its objective; others stay in the documents."""
    by_kind: dict[str, dict[str, Fields]] = {kind: {} for kind in KINDS}
    for document in documents:
        by_kind[document.data["kind"]][document.data["metadata"]["name"]] = document.data
    services = [*by_kind["Service"], *(str(slo["spec"]["service"]) for slo in by_kind["SLO"].values())]
    service = next(iter(services), next(iter(by_kind["SLI"]), "imported"))
    said = by_kind["Service"].get(service, {})
    info = filled(
        title=group(said, "metadata").get("displayName", service), description=group(said, "spec").get("description"), lifecycle="proposed"
    )
    promised = [part for slo in by_kind["SLO"].values() for part in _promised(slo, by_kind["SLI"])]
    unique = {(part["type"], part["name"]): part for part in promised}
    data_sets = {str(part["properties"]["data_set"]) for part in unique.values() if "data_set" in part["properties"]}
    return [
        {"name": domain, "type": "domain", "properties": {}},
        {"name": name or slug(service), "type": "data-product", "properties": info},
        *({"name": data_set, "type": "data-set", "properties": {}} for data_set in sorted(data_sets)),
        *(part for part in unique.values() if part["type"] == "service-level-asset"),
        *(part for part in unique.values() if part["type"] != "service-level-asset"),
    ]


def _promised(slo: Fields, indicators: Mapping[str, Fields]) -> Iterator[Component]:
    """The objective and the indicator of an SLO whose metric is the platform's own; nothing of another."""
    spec = slo["spec"]
    measured = spec.get("indicator") or indicators.get(str(spec.get("indicatorRef")), {})
    source = group(group(group(group(measured, "spec"), "ratioMetric"), "total"), "metricSource")
    promise = group(source, "spec").get("promise")
    window = _window(_mappings(spec, "timeWindow")[0])
    if source.get("type") != "mesh" or not isinstance(promise, dict) or window is None:
        return
    objective = str(group(source, "spec").get("objective"))
    yield {"name": objective, "type": "service-level-asset", "properties": promise}
    for target in _mappings(spec, "objectives"):
        yield {"name": _title(slo, target), "type": "service-level-indicator", "properties": _indicator(spec, target, objective, window)}


def _indicator(spec: Fields, objective: Fields, title: str, window: Fields) -> Fields:
    share = objective.get("timeSliceTarget")
    is_share = spec["budgetingMethod"] == "Timeslices" and isinstance(share, int | float) and share < 1
    method = "ratio-timeslices" if is_share else {value: name for name, value in METHODS.items()}[spec["budgetingMethod"]]
    target = objective["target"] if "target" in objective else _percent(objective)
    return filled(
        service_level_name=title,
        description=spec.get("description"),
        interval=objective.get("timeSliceWindow"),
        **window,
        target=100 if target >= NEAREST_TO_ALL else round(target * 100, 7),
        method=method,
        slice_target=round(share * 100, 7) if is_share and share is not None else None,
    )


def _window(window: Fields) -> Fields | None:
    """The platform's window; None where it has no such, as of a calendar year."""
    duration = str(window["duration"])
    calendar = {written: name for name, written in CALENDAR.items()}
    if window.get("isRolling") is False:
        named = calendar.get(duration)
        return filled(window=named, timezone=group(window, "calendar").get("timeZone")) if named is not None else None
    return {"window": duration} if duration[-1] in "mhdw" else None


def _title(slo: Fields, objective: Fields) -> str:
    title = str(slo["metadata"].get("displayName") or slo["metadata"]["name"])
    several = len(_mappings(slo["spec"], "objectives")) > 1
    return f"{title}: {objective.get('displayName') or objective.get('target')}" if several else title


def _percent(objective: Fields) -> Any:
    percent = objective.get("targetPercent")
    return percent / 100 if isinstance(percent, int | float) else percent


def _mappings(fields: Fields, name: str) -> list[Fields]:
    items = fields.get(name)
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def keyed(documents: list[Document]) -> dict[str, Fields]:
    """Each document by its kind and name."""
    return {key_of(document.data): document.data for document in documents}


def key_of(document: Fields) -> str:
    """Such as `SLO/fresh-orders`."""
    return f"{document['kind']}/{document['metadata']['name']}"


def carried_problems(documents: list[Document], changes: list[Fields]) -> Iterator[Problem]:
    """For each place that the platform has no word for a warning with its line."""
    by_key = {key_of(document.data): document for document in documents}
    for change in changes:
        document = by_key.get(change["at"][0]) if change["at"] else None
        if document is None or "value" not in change:
            continue
        inner: Place = tuple(change["at"][1:])
        place, what = (inner, "there is no word for this") if inner else _no_place(document.data, by_key)
        yield replace(document.problem(place, what, "it is carried along, and mesh export writes it again"), severity="warning")


def _no_place(document: Fields, by_key: Mapping[str, Document]) -> tuple[Place, str]:
    """Why a whole document is only carried along, and where it says so."""
    kind, spec = document["kind"], document["spec"] if isinstance(document.get("spec"), dict) else {}
    if kind != "SLO":
        return ("kind",), f"a product has no place for a document of kind {kind}"
    if "objectives" in spec and any("indicator" in part or "indicatorRef" in part for part in _mappings(spec, "objectives")):
        return ("spec", "objectives"), "an SLO of several indicators is no promise of one objective"
    referred = by_key.get(f"SLI/{spec.get('indicatorRef')}")
    place: Place = ("spec", "indicatorRef") if "indicatorRef" in spec else ("spec", "indicator")
    measured = group(spec, "indicator") or (referred.data if referred is not None else {})
    sources = sorted({str(source) for source in _sources(measured)})
    if sources == ["mesh"]:
        return ("spec", "timeWindow"), f"a window of {_mappings(spec, 'timeWindow')[0]['duration']} by the calendar has no word here"
    return place, f"its metric is asked of {' and '.join(sources) or 'an indicator that is not in the file'}, which is no objective here"


def _sources(measured: Any) -> Iterator[Any]:
    """The types of every metric source of an indicator."""
    if isinstance(measured, dict):
        source = measured.get("metricSource")
        if isinstance(source, dict):
            yield source.get("type") or source.get("metricSourceRef") or "another tool"
        for inner in measured.values():
            yield from _sources(inner)
