"""The page of one's tokens: create one, shown once, see their use, revoke them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from platform_resources.access.grants import NotAllowed
from platform_resources.ledger.people.token_store import revoke_token, tokens_of
from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.marketplace.home_page import page_zone
from platform_resources.marketplace.people.access_pages import day
from platform_resources.marketplace.security import FormRefused
from platform_resources.marketplace.shop import Missing, Shop
from platform_resources.services.access.tokens import LONGEST, LONGEST_OF_TEAMS, TokenRefused, WantedToken, new_token, note_ended, usual_end

Fields = Mapping[str, str]
# The fields of the form that say what a token is for.
FOR = ("metadata", "data", "act")


def token_routes(shop: Shop) -> APIRouter:
    """The routes of tokens, for people only: a token cannot create another."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/tokens")
    def tokens(request: Request) -> Response:
        return shop.page("tokens.html", shop.view(request), tokens_page(shop, request))

    @router.post("/tokens")
    async def new(request: Request) -> Response:
        fields = await shop.fields(request)
        return await run_in_threadpool(made, shop, request, fields)

    @router.post("/tokens/{number}")
    async def revoke(request: Request, number: int) -> Response:
        await shop.fields(request)
        return await run_in_threadpool(revoked, shop, request, number)

    return router


def tokens_page(shop: Shop, request: Request, text: str = "", refused: str = "", typed: Fields | None = None) -> dict[str, Any]:
    """The context of the template `tokens.html`; `text` is a token that was just created."""
    view, now = shop.view(request), datetime.now(UTC)
    groups = view.reader.groups if view.reader is not None else ()
    with shop.market.ledger.reading() as connection:
        known = tokens_of(connection, shop.reads_as(request))
    return {
        "page": "tokens",
        "times": PageTimes(view.at, page_zone(view)),
        "now": now,
        "text": text,
        "refused": refused,
        "typed": typed or {"metadata": "yes", "until": f"{usual_end(groups, now):%Y-%m-%d}"},
        "most_days": (LONGEST_OF_TEAMS if groups else LONGEST).days,
        "tokens": known,
    }


def made(shop: Shop, request: Request, fields: Fields) -> Response:
    """Create a token and show it, this once."""
    view = shop.view(request)
    ports = tuple(f"data:{port}" for port in fields.get("ports", "").replace(",", " ").split())
    scopes = (*(name for name in FOR if fields.get(name)), *ports)
    groups = view.reader.groups if view.reader is not None else ()
    now = datetime.now(UTC)
    try:
        until = day(fields.get("until", "")) or usual_end(groups, now)
        wanted = WantedToken(shop.reads_as(request), groups, fields.get("title", ""), scopes, until)
        text, _ = new_token(shop.market.ledger, view.plan, wanted, now)
    except (TokenRefused, NotAllowed) as error:
        return shop.page("tokens.html", view, tokens_page(shop, request, refused=str(error), typed=fields), 422)
    answer = shop.page("tokens.html", view, tokens_page(shop, request, text))
    answer.headers["cache-control"] = "no-store"
    return answer


def revoked(shop: Shop, request: Request, number: int) -> Response:
    """Revoke one of one's own tokens. Raises Missing, FormRefused."""
    if not 0 < number < 2**63:
        raise FormRefused("That is no token.")
    now = datetime.now(UTC)
    with shop.market.ledger.writing() as connection:
        if not revoke_token(connection, number, shop.reads_as(request), now):
            raise Missing("You have no such token, or it was revoked before.")
    note_ended(shop.market.state, number, now)
    return RedirectResponse("/tokens", 303)
