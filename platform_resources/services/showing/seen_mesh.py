"""Restrict a snapshot to what one reader may see: without texts and numbers that could reveal hidden values."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from platform_resources.access.reader_standing import Reader
from platform_resources.access.views import View
from platform_resources.capabilities.judgements import Moment, Promise
from platform_resources.capabilities.measures import Elsewhere
from platform_resources.capabilities.registry import installed_registry, traits_of
from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.notify.facts import Failure, Trouble
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.faults import fault
from platform_resources.plan.plan import ProductPlan
from platform_resources.promises.grades import CheckState, LastRefresh, ProductHealth
from platform_resources.publications.version_records import PortVersion, Publication
from platform_resources.services.access.reader_views import ReaderView, named_reader
from platform_resources.services.product_health import health_of
from platform_resources.services.product_status import Known
from platform_resources.services.showing.incident_story import IncidentStory
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.services.trust import Trust
from platform_resources.warehouses.engine_errors import QueryFailed

WITHHELD = "told to those who see the whole product"


def seen_by(view: MeshOverview, reader: Reader | None) -> MeshOverview:
    """The snapshot for one reader; complete for the user of this computer."""
    if reader is None:
        return view
    mine = replace(view, reader=named_reader(view.plan, reader.name, reader.role, reader.groups))
    reading = mine.reading
    whole = {product.name for product in view.plan.products if reading.standing(product).sees == "all"}
    return replace(
        mine,
        known=_known(view.known, reading, whole),
        incidents=tuple(_incidents(view, view.incidents, whole)),
        trust={name: _trust(view, name, trust, whole) for name, trust in view.trust.items()},
    )


def seen_story(story: IncidentStory, view: MeshOverview) -> IncidentStory:
    """An incident as the reader may see it: without reasons, values and notes unless they see the whole product."""
    cause = story.stored.incident.cause
    if view.reader is None or view.sees_all(cause):
        return story
    (stored,) = _incidents(view, [story.stored], ())
    events = tuple(event if event.kind in ("attached", "noticed") else replace(event, note="") for event in story.events)
    return replace(story, stored=stored, trouble=_trouble(story.trouble), events=events)


def seen_publications(reading: ReaderView, product: ProductPlan, published: Sequence[Publication]) -> tuple[Publication, ...]:
    """The versions as a reader may see them: ports through the reader's view, inputs by name only."""
    if reading.standing(product).sees == "all":
        return tuple(published)
    return tuple(
        replace(
            version, inputs={port: _origin(record) for port, record in version.inputs.items()}, ports=tuple(_seen_ports(reading, version))
        )
        for version in published
    )


def _origin(record: Mapping[str, Any]) -> dict[str, Any]:
    """Of another product its version; files and cursors may quote what is in them."""
    return {name: record[name] for name in ("product", "product_version", "pulled_at", "version") if name in record and "product" in record}


def _seen_ports(reading: ReaderView, publication: Publication) -> Iterator[PortVersion]:
    for port in publication.ports:
        with suppress(QueryFailed):
            seen = reading.port(publication.product, port, publication.id)
            if seen is not None:
                yield replace(seen, views={})


def _trouble(trouble: Trouble) -> Trouble:
    new = tuple(replace(fault, failure=_failure(fault.failure)) for fault in trouble.new_faults)
    failures = tuple(map(_failure, trouble.failures))
    return replace(trouble, failures=failures, new_faults=new, ending="", root=replace(trouble.root, because=""))


def _failure(failure: Failure) -> Failure:
    return replace(failure, reason=WITHHELD, value="", threshold="", failing_rows=None)


def _incidents(view: MeshOverview, incidents: Iterable[StoredIncident], whole: Collection[str]) -> Iterable[StoredIncident]:
    """A title has the reason of what failed, unless all of the cause is seen: then it says only what fails."""
    titles = {(o.product, o.check): fault(o.check, o.title) for o in view.known.observations}
    for stored in incidents:
        cause = stored.incident.cause
        failing = [titles.get((cause, check), check) for check in stored.incident.checks]
        title = stored.title if cause in whole else "; ".join(failing) or "It fails"
        yield replace(stored, title=title)


def _trust(view: MeshOverview, product: str, trust: Trust, whole: Collection[str]) -> Trust:
    accepted = trust.accepted
    if product not in whole:
        accepted = tuple(replace(weakness, acceptance=replace(weakness.acceptance, note="")) for weakness in accepted)
    return replace(trust, incidents=tuple(_incidents(view, trust.incidents, whole)), accepted=accepted)


def _known(known: Known, reading: ReaderView, whole: Collection[str]) -> Known:
    partial = {product.name: product for product in reading.plan.products if product.name not in whole}
    health = {name: _health(o, partial[name], reading) if name in partial else o for name, o in known.health.items()}
    observations = tuple(
        replace(o, state=seen_check(o.state, partial[o.product], reading), reading=None) if o.product in partial else o
        for o in known.observations
        if o.product in whole or o.product in partial
    )
    last = {name: refresh if name in whole else _last(refresh) for name, refresh in known.last_refreshes.items()}
    return replace(known, health=health, observations=observations, last_refreshes=last, evidence={})


def _health(health: ProductHealth, product: ProductPlan, reading: ReaderView) -> ProductHealth:
    """Its verdicts and its status stay: they follow from no text."""
    checks = tuple(seen_check(check, product, reading) for check in health.checks)
    return health_of(product, health.published, checks, _last(LastRefresh(health.outcome, health.held_back)), health.problem)


def _last(last: LastRefresh) -> LastRefresh:
    return LastRefresh(WITHHELD if last.outcome else "", WITHHELD if last.held_back else "")


def seen_check(check: CheckState, product: ProductPlan, reading: ReaderView) -> CheckState:
    """The check as a reader may see it who does not see the whole product."""
    return told(check, {data_set.name: reading.view(product, data_set.name) for data_set in product.data_sets}, product)


def told(check: CheckState, views: dict[str, View | None], product: ProductPlan) -> CheckState:
    """The check without what may reveal a value hidden by these views of the product's data sets."""
    objective = next((known for known in product.objectives if (known.check.key, known.check.name) == (check.key, check.name)), None)
    if tells_only_what_is_seen(check, views) and not (objective is not None and _quotes_values_elsewhere(objective)):
        return check
    declared = _declared(objective) if objective is not None else Promise()
    return replace(
        check,
        reason=WITHHELD if check.reason or check.value is not None or check.shown else "",
        value=None,
        shown="",
        failing_rows=None,
        at_least=declared.at_least,
        at_most=declared.at_most,
        comparison=declared.comparison,
    )


def _declared(objective: ObjectivePlan) -> Promise:
    """What is promised without any past: bounds that follow from former values, also learned ones, tell these."""
    return installed_registry().dimensions()[objective.dimension].promise(objective.settings, Moment(datetime.now(UTC)))


def _quotes_values_elsewhere(objective: ObjectivePlan) -> bool:
    """Whether its text may quote a column of an input or of another data set, such as a sum there, which its check does not name."""
    if traits_of(objective.dimension).quotes != "columns":
        return False
    measures = installed_registry().dimensions()[objective.dimension].measures(objective.settings, objective.subject).values()
    return any(isinstance(measure, Elsewhere) and measure.relation != objective.subject.relation for measure in measures)


def tells_only_what_is_seen(check: CheckState, views: dict[str, View | None]) -> bool:
    """Whether a check's text can reveal no value hidden by these views of the data sets; None is a view of nothing."""
    quotes = traits_of(check.dimension).quotes
    if quotes == "times":
        return True
    if check.kind != "objective":
        return False
    named = [column.partition(".") for column in check.columns if "." in column]
    if not named:
        return quotes == "rows"
    return quotes != "anything" and all((view := views.get(data_set)) is not None and view.tells(column) for data_set, _, column in named)
