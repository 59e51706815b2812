"""API routes about incidents."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.marketplace.api.descriptions import success
from platform_resources.marketplace.api.trust_answers import IncidentData, IncidentStoryData
from platform_resources.marketplace.shop import Missing, Shop
from platform_resources.services.showing.incident_story import incident_story
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.services.showing.seen_mesh import seen_story


def incident_routes(router: APIRouter, shop: Shop) -> None:
    """Add the list of incidents, and one incident."""

    @router.get("/incidents", responses=success(list[IncidentData]), summary="What is open, and what ended within 90 days")
    def incidents(request: Request, live: bool | None = None) -> Response:
        return shop.kept_answer(
            request, lambda view: [_incident(stored) for stored in view.incidents if live is None or stored.incident.live == live]
        )

    @router.get(
        "/incidents/{cause}/{number}",
        responses=success(IncidentStoryData),
        summary="One incident: what fails, whom it reaches, what has happened",
    )
    def incident(request: Request, cause: str, number: int) -> Response:
        return shop.kept_answer(request, lambda view: _story(shop, view, f"{cause}#{number}"))


def _story(shop: Shop, view: MeshOverview, name: str) -> dict[str, Any]:
    with shop.market.ledger.reading() as connection:
        story = incident_story(connection, view, name)
    if story is None:
        raise Missing(f"There is no incident “{name}”.")
    story = seen_story(story, view)
    failures = [{**asdict(failure), "fault": failure.fault} for failure in story.trouble.failures]
    return {**_incident(story.stored), "failures": failures, "reached": story.reached, "events": story.events}


def _incident(stored: StoredIncident) -> dict[str, Any]:
    return {"name": stored.incident.name, "severity": stored.severity, "title": stored.title, **asdict(stored.incident)}
