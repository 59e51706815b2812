"""API routes about whoever asks: their inbox, roles and saved queries, and webhooks that announce new versions."""

import os
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from platform_resources.access.grants import Grant
from platform_resources.ledger.people.subscriptions import Subscription, VersionHook, end_hook, hooks_of
from platform_resources.marketplace.api.descriptions import success
from platform_resources.marketplace.api.mesh_answers import RefusalData
from platform_resources.marketplace.api.people_answers import AccessData, InboxData, LabData
from platform_resources.marketplace.api.version_answers import HookData, NewHookData
from platform_resources.marketplace.display.json_text import json_data
from platform_resources.marketplace.lab.lab_pages import lab_lists
from platform_resources.marketplace.people.access_pages import RoleChoice, access_page
from platform_resources.marketplace.people.bearers import needs
from platform_resources.marketplace.people.expectation_pages import own_expectations
from platform_resources.marketplace.people.inbox import inbox_page
from platform_resources.marketplace.shop import Missing, Shop, product_named
from platform_resources.notify.signed_calls import LONGEST_ADDRESS
from platform_resources.services.access.version_hooks import HookRefused, begin_hook


class HookAsked(BaseModel):
    """Where a machine listens."""

    model_config = ConfigDict(extra="forbid")
    url: Annotated[str, Field(min_length=1, max_length=LONGEST_ADDRESS)]


def own_routes(shop: Shop) -> APIRouter:
    """What the calling person may decide, has, follows, and has saved."""
    refusals: dict[int | str, dict[str, Any]] = {"4XX": {"model": RefusalData}}
    router = APIRouter(prefix="/api/v1", responses=refusals)
    _reading(router, shop)
    _hooks(router, shop)
    return router


def _reading(router: APIRouter, shop: Shop) -> None:
    shown: dict[str, Any] = {"tags": ["own"], "dependencies": [Depends(needs("metadata"))]}

    @router.get(
        "/inbox", responses=success(InboxData), summary="What waits for you, what you have asked for, and what you hear of", **shown
    )
    def inbox(request: Request) -> Response:
        return JSONResponse(json_data(_inbox(inbox_page(shop, request))))

    @router.get(
        "/products/{name}/access", responses=success(AccessData), summary="The roles of a product, what each sees, and your own", **shown
    )
    def access(request: Request, name: str) -> Response:
        product = product_named(shop.view(request), name)
        expected = own_expectations(shop, request, product)
        return JSONResponse(json_data({**_access(access_page(shop, request, product)), "expected": [asdict(one) for one in expected]}))

    @router.get("/lab", responses=success(LabData), summary="The tables that you may query, and queries to begin with", **shown)
    def lab(request: Request, of: Annotated[str, Query(description="of one product alone")] = "") -> Response:
        return JSONResponse(json_data(_lab(lab_lists(shop, shop.view(request), of))))


def _hooks(router: APIRouter, shop: Shop) -> None:
    acting: dict[str, Any] = {"tags": ["hooks"], "dependencies": [Depends(needs("act"))]}

    @router.get("/hooks", responses=success(list[HookData]), summary="Your machines that hear of new versions", **acting)
    def hooks(request: Request) -> Response:
        with shop.market.ledger.reading() as connection:
            own = hooks_of(connection, person=shop.reads_as(request))
        return JSONResponse([_hook(hook) for hook in own])

    @router.post(
        "/products/{name}/hooks",
        status_code=201,
        responses={201: {"model": NewHookData}},
        summary="Let a machine hear of each new version, by a signed call",
        **acting,
    )
    def begin(request: Request, name: str, asked: HookAsked) -> Response:
        product, who, now = product_named(shop.view(request), name), shop.reads_as(request), datetime.now(UTC)
        try:
            secret, hook = begin_hook(shop.market.ledger, shop.market.state, product, who, asked.url, os.environ, now)
        except HookRefused as error:
            return JSONResponse({"error": str(error), "hint": None}, 422)
        return JSONResponse({**_hook(hook), "secret": secret}, 201, {"cache-control": "no-store"})

    @router.post("/hooks/{number}/end", status_code=204, response_class=Response, summary="A machine hears no more", **acting)
    def end(request: Request, number: int) -> Response:
        if 0 < number < 2**63:
            with shop.market.ledger.writing() as connection:
                if end_hook(connection, number, shop.reads_as(request), datetime.now(UTC)):
                    return Response(status_code=204)
        raise Missing("You have no such hook.")


def _inbox(page: dict[str, Any]) -> dict[str, Any]:
    now = page["now"]
    return {
        "to_decide": [_grant(grant, now) for grant in page["waiting"]],
        "expected": [asdict(expectation) for expectation in page["expected"]],
        "given": [_grant(grant, now) for grant in page["given"]],
        "asked_for": [_grant(grant, now) for grant in page["mine"]],
        "unanswered_reviews": [
            {"product": review.product, "person": review.person, "stars": review.stars, "text": review.said, "at": review.at}
            for review in page["reviews"]
        ],
        "open_incidents": [stored.incident.name for stored in page["incidents"]],
        "hears_of": [_heard(wish) for wish in page["heard"]],
    }


def _access(page: dict[str, Any]) -> dict[str, Any]:
    standing, now = page["standing"], page["now"]
    return {
        "sees": standing.sees,
        "why": standing.why,
        "role": standing.role or None,
        "roles": [_role(choice) for choice in page["choices"]],
        "asked_for": [_grant(grant, now) for grant in page["grants"]],
        "for_whom": page["subjects"],
        "hears_of": [_heard(wish) for wish in page["own"]],
        "channels": page["channels"],
        "hooks": [_hook(hook) for hook in page["hooks"]],
    }


def _role(choice: RoleChoice) -> dict[str, Any]:
    offered = asdict(choice.offered)
    columns = choice.columns
    seen = {"clear": columns.clear, "masked": columns.masked, "left_out": columns.hidden, "filters_rows": columns.rows}
    return {
        **{name: offered[name] for name in ("role", "agreement", "approval", "duration")},
        "attributes": dict(offered["attributes"]),
        **seen,
    }


def _grant(grant: Grant, now: datetime) -> dict[str, Any]:
    return {**asdict(grant), "attributes": dict(grant.attributes), "state": grant.state(now)}


def _heard(wish: Subscription) -> dict[str, Any]:
    return {"product": wish.product, "channel": wish.channel, "severity": wish.severity}


def _lab(lists: dict[str, Any]) -> dict[str, Any]:
    return {
        "tables": [
            {"product": table.product.name, "data_set": table.data_set, "columns": table.columns, "query": table.query}
            for table in lists["tables"]
        ],
        "queries": [
            {"product": product.name, "title": query.title, "description": query.description, "sql": query.sql}
            for product, query in lists["samples"]
        ],
        "saved": [
            {
                "title": query.title,
                "sql": query.query,
                "product": query.product or None,
                "person": query.person,
                "at": query.at,
                "reads": [product.name for product in read],
            }
            for query, read in lists["saved"]
        ],
    }


def _hook(hook: VersionHook) -> dict[str, Any]:
    return {"hook": hook.id, "product": hook.product, "url": hook.url, "since": hook.since.isoformat()}
