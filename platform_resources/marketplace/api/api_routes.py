"""All routes of the JSON API, described by /api/v1/openapi.json."""

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse

from platform_resources.marketplace.api.incident_routes import incident_routes
from platform_resources.marketplace.api.mesh_answers import RefusalData
from platform_resources.marketplace.api.mesh_routes import mesh_routes
from platform_resources.marketplace.api.product_routes import more_product_routes, product_routes
from platform_resources.marketplace.api.score_routes import score_routes
from platform_resources.marketplace.people.bearers import needs
from platform_resources.marketplace.shop import Shop


def api_routes(shop: Shop) -> APIRouter:
    """The read-only routes: actions on incidents are available on pages only."""
    router = APIRouter(
        prefix="/api/v1",
        tags=["mesh"],
        default_response_class=JSONResponse,
        responses={"4XX": {"model": RefusalData}},
        dependencies=[Depends(needs("metadata"))],
    )
    for add in (mesh_routes, product_routes, more_product_routes, score_routes, incident_routes):
        add(router, shop)
    return router
