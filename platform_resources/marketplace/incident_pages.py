"""Pages of incidents: failing checks, affected products, events, and actions."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import Request

from platform_resources.incidents import life_cycle
from platform_resources.incidents.life_cycle import IllegalTransition, Incident, IncidentEvent
from platform_resources.marketplace.display import phrases
from platform_resources.marketplace.display.lineage_pictures import cause_picture, product_boxes
from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.marketplace.product_page import runbook_link
from platform_resources.marketplace.security import FormRefused
from platform_resources.marketplace.shop import Shop
from platform_resources.notify.facts import Failure
from platform_resources.plan.faults import fault
from platform_resources.repository.product_readme import readme_text
from platform_resources.services.showing.incident_acts import act_on
from platform_resources.services.showing.incident_story import IncidentStory
from platform_resources.services.showing.mesh_overview import MeshOverview

HAPPENINGS = {
    "opened": "Incident opened",
    "acknowledged": "Acknowledged",
    "started": "Work has begun",
    "resolved": "Resolved",
    "reopened": "Reopened",
    "attached": "Reaches",
    "noticed": "Also fails",
}
LONGEST_NOTE = 2000


def incident_list(view: MeshOverview, zone: str) -> dict[str, Any]:
    """The context of the template `incidents.html`: open incidents, oldest first, and those that ended within 90 days."""
    return {
        "page": "incident",
        "times": PageTimes(view.at, zone),
        "view": view,
        "live": sorted(view.live, key=lambda stored: stored.incident.began_at),
        "over": [stored for stored in view.incidents if not stored.incident.live],
        "titles": {product.name: product.title for product in view.plan.products},
    }


def incident_page(shop: Shop, view: MeshOverview, story: IncidentStory, refused: IllegalTransition | None = None) -> dict[str, Any]:
    """The context of the template `incident.html`; `refused` says why an action was refused."""
    incident = story.stored.incident
    product = next((candidate for candidate in view.plan.products if candidate.name == incident.cause), None)
    times = PageTimes(view.at, product.zone if product is not None else "UTC")
    titles = {product.name: product.title for product in view.plan.products}
    seen = [observation for observation in view.known.observations if observation.product == incident.cause]
    names = titles | {observation.check: fault(observation.check, observation.title) for observation in seen}
    return {
        "page": "incident",
        "times": times,
        "product": product,
        "story": story,
        "incident": incident,
        "trouble": story.trouble,
        "headline": story.trouble.failures[0].fault if story.trouble.failures else story.stored.title.partition(": ")[0] or incident.name,
        "failures": _failures(view, story),
        "well": _well(story, names),
        "look": phrases.SEVERITIES[story.stored.severity] if incident.live else phrases.OVER,
        "picture": cause_picture(view, incident.cause, incident.impacted) if product is not None else None,
        "unreached": [box for box in product_boxes(view, incident.cause) if box.name not in incident.impacted],
        "events": [_told(event, names) for event in reversed(story.events)],
        "titles": titles,
        "health": view.health,
        "how": life_cycle.BY_HAND,
        "refused": refused.told(times.moment) if refused is not None else "",
        "runbook": runbook_link(product, bool(readme_text(shop.market.root, product))) if product is not None else "",
        "may_act": may_act(shop, view, incident.cause),
    }


def may_act(shop: Shop, view: MeshOverview, product: str) -> bool:
    """Whether the reader may act on incidents of the product: its owners and the platform's operators may."""
    owners = next((candidate.owners for candidate in view.plan.products if candidate.name == product), ())
    return shop.auth.officers.may_act_on_incidents(view.reader, owners)


def _failures(view: MeshOverview, story: IncidentStory) -> list[tuple[Failure, str, str]]:
    """What fails, with both numbers where they are known, and the columns that it is about."""
    states = {(observation.product, observation.check): observation.state for observation in view.known.observations}
    cause = story.stored.incident.cause
    now = [(failure, states.get((cause, failure.check))) for failure in story.trouble.failures]
    return [
        (
            failure,
            phrases.why(state) if state is not None and state.verdict == "missed" else failure.reason,
            phrases.listed(column.rpartition(".")[2] for column in state.columns if "." in column) if state is not None else "",
        )
        for failure, state in now
    ]


def _well(story: IncidentStory, names: Mapping[str, str]) -> list[str]:
    """What has failed during an open incident and fails no more."""
    incident, failing = story.stored.incident, {failure.check for failure in story.trouble.failures}
    return [names.get(check, check) for check in incident.checks if incident.live and check not in failing]


def _told(event: IncidentEvent, titles: Mapping[str, str]) -> tuple[datetime, str, str, str]:
    """When, what, by whom, and what was said of it."""
    note = ", ".join(titles.get(name, name) for name in event.note.split(", ")) if event.by == life_cycle.PLATFORM else event.note
    by = "" if event.by == life_cycle.PLATFORM else event.by
    return event.at, HAPPENINGS[event.kind], by, note


def acted(shop: Shop, request: Request, name: str, fields: Mapping[str, str]) -> Incident:
    """Perform the action of a form for its sender. Raises IllegalTransition, NoSuchIncident, FormRefused."""
    if not may_act(shop, shop.view(request), name.partition("#")[0]):
        raise FormRefused("Owners of the product and those who run the platform act on its incidents.")
    who = shop.reads_as(request)
    note = fields.get("note", "").strip()[:LONGEST_NOTE]

    def act(incident: Incident, at: datetime) -> life_cycle.Change:
        match fields.get("do"):
            case "ack":
                return life_cycle.acknowledged(incident, at, who, note)
            case "start":
                return life_cycle.started(incident, at, who, note)
            case "resolve" if fields.get("as") in life_cycle.BY_HAND:
                only = [check for name, check in fields.items() if name.startswith("only-")]
                return life_cycle.resolved(incident, life_cycle.BY_HAND[fields["as"]], at, who, note, only)
            case "reopen":
                return life_cycle.reopened(incident, at, who, note)
        raise FormRefused("This form says nothing that can be done. Load the page again.")

    done = act_on(shop.market.ledger, name, act, datetime.now(UTC))
    shop.market.written()
    return done
