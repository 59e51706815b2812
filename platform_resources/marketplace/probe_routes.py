"""Routes for monitoring the server: Prometheus metrics, liveness and readiness."""

from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse, Response

from platform_resources.ledger.people.outbox import open_and_recent
from platform_resources.marketplace.people.bearers import needs
from platform_resources.marketplace.shop import NotGranted, Shop
from platform_resources.services.showing.prometheus_metrics import CONTENT_TYPE, OUTBOX_OVER, metrics_text

METRICS = "/api/v1/metrics"


def probe_routes(shop: Shop) -> APIRouter:
    """The routes. Metrics name all products, so only operators may read them."""
    router = APIRouter()

    @router.get(
        METRICS,
        summary="Metrics of all products for Prometheus",
        response_class=PlainTextResponse,
        dependencies=[Depends(needs("metadata"))],
    )
    def metrics(request: Request) -> Response:
        if "platform" not in shop.auth.officers.roles(shop.kept.who(request.scope)):
            raise NotGranted("Metrics name all products: they are for those whom MESH_PLATFORM names, by a token of theirs.")
        messages = shop.market.patient.said(lambda connection: open_and_recent(connection, datetime.now(UTC) - OUTBOX_OVER), None)
        return Response(metrics_text(shop.market.view(), messages), media_type=CONTENT_TYPE)

    @router.get("/health/live", include_in_schema=False)
    def live() -> Response:
        return PlainTextResponse("ok\n")

    @router.get("/health/ready", include_in_schema=False)
    def ready() -> Response:
        """Ready as long as readers are answered: while the ledger does not answer, with what is known."""
        shop.market.view()
        since = shop.market.patient.away_since
        return PlainTextResponse("ok\n" if since is None else f"ok, but the ledger has not answered since {since:%Y-%m-%d %H:%M} UTC\n")

    return router
