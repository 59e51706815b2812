"""API routes for webhooks that announce new versions: register, list, remove."""

import os
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from platform_resources.ledger.people.subscriptions import VersionHook, end_hook, hooks_of
from platform_resources.marketplace.api.descriptions import success
from platform_resources.marketplace.api.mesh_answers import RefusalData
from platform_resources.marketplace.api.version_answers import HookData, NewHookData
from platform_resources.marketplace.people.bearers import needs
from platform_resources.marketplace.shop import Missing, Shop, product_named
from platform_resources.notify.signed_calls import LONGEST_ADDRESS
from platform_resources.services.access.version_hooks import HookRefused, begin_hook


class HookAsked(BaseModel):
    """Where a machine listens."""

    model_config = ConfigDict(extra="forbid")
    url: Annotated[str, Field(min_length=1, max_length=LONGEST_ADDRESS)]


def hook_routes(shop: Shop) -> APIRouter:
    """The webhooks of the calling person."""
    refusals: dict[int | str, dict[str, Any]] = {"4XX": {"model": RefusalData}}
    router = APIRouter(prefix="/api/v1", tags=["hooks"], responses=refusals, dependencies=[Depends(needs("act"))])

    @router.get("/hooks", responses=success(list[HookData]), summary="Your machines that hear of new versions")
    def hooks(request: Request) -> Response:
        with shop.market.ledger.reading() as connection:
            own = hooks_of(connection, person=shop.reads_as(request))
        return JSONResponse([_data(hook) for hook in own])

    @router.post(
        "/products/{name}/hooks",
        status_code=201,
        responses={201: {"model": NewHookData}},
        summary="Let a machine hear of each new version, by a signed call",
    )
    def begin(request: Request, name: str, asked: HookAsked) -> Response:
        product, who, now = product_named(shop.view(request), name), shop.reads_as(request), datetime.now(UTC)
        try:
            secret, hook = begin_hook(shop.market.ledger, shop.market.state, product, who, asked.url, os.environ, now)
        except HookRefused as error:
            return JSONResponse({"error": str(error), "hint": None}, 422)
        return JSONResponse({**_data(hook), "secret": secret}, 201, {"cache-control": "no-store"})

    @router.post("/hooks/{number}/end", status_code=204, response_class=Response, summary="A machine hears no more")
    def end(request: Request, number: int) -> Response:
        if 0 < number < 2**63:
            with shop.market.ledger.writing() as connection:
                if end_hook(connection, number, shop.reads_as(request), datetime.now(UTC)):
                    return Response(status_code=204)
        raise Missing("You have no such hook.")

    return router


def _data(hook: VersionHook) -> dict[str, Any]:
    return {"hook": hook.id, "product": hook.product, "url": hook.url, "since": hook.since.isoformat()}
