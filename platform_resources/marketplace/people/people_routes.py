"""The routes of access requests, subscriptions, reviews and the inbox, with their forms."""

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from platform_resources.access.grants import NotAllowed
from platform_resources.ledger.people.grant_store import NoSuchGrant
from platform_resources.marketplace.people.access_pages import access_page, asked_for, heard, listening, moved
from platform_resources.marketplace.people.inbox import decided, inbox_page
from platform_resources.marketplace.people.review_forms import reviewed
from platform_resources.marketplace.security import FormRefused
from platform_resources.marketplace.shop import Missing, Shop, product_named
from platform_resources.services.access.version_hooks import HookRefused

Fields = Mapping[str, str]


def people_routes(shop: Shop) -> APIRouter:
    """The routes of access, subscriptions, reviews and the inbox."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    _access(router, shop)
    _use(router, shop)
    _inbox(router, shop)
    return router


async def taken(shop: Shop, request: Request, act: Callable[[Fields], Response]) -> Response:
    """Run `act` with the fields of a form."""
    fields = await shop.fields(request)
    return await run_in_threadpool(act, fields)


def _access(router: APIRouter, shop: Shop) -> None:
    @router.get("/products/{name}/access")
    def access(request: Request, name: str) -> Response:
        view = shop.view(request)
        return shop.page("access.html", view, access_page(shop, request, product_named(view, name)))

    @router.post("/products/{name}/access")
    async def ask(request: Request, name: str) -> Response:
        def asking(fields: Fields) -> Response:
            view = shop.view(request)
            product = product_named(view, name)
            try:
                asked_for(shop, request, product, fields)
            except NotAllowed as error:
                return shop.page("access.html", view, access_page(shop, request, product, str(error), fields), 422)
            return RedirectResponse(f"/products/{name}/access#yours", 303)

        return await taken(shop, request, asking)

    @router.post("/products/{name}/subscription")
    async def subscription(request: Request, name: str) -> Response:
        def hearing(fields: Fields) -> Response:
            heard(shop, request, product_named(shop.view(request), name), fields)
            return RedirectResponse(f"/products/{name}/access#hear", 303)

        return await taken(shop, request, hearing)


def _use(router: APIRouter, shop: Shop) -> None:
    """What readers of a product tell of it, and machines that hear of its versions."""

    @router.post("/products/{name}/ports/{port}/switched")
    async def switch(request: Request, name: str, port: str) -> Response:
        def moving(fields: Fields) -> Response:
            try:
                moved(shop, request, product_named(shop.view(request), name), port, fields.get("consumer", ""))
            except NotAllowed as error:
                raise FormRefused(f"It was not recorded: {error}.") from error
            return RedirectResponse(f"/products/{name}#port-{port}", 303)

        return await taken(shop, request, moving)

    @router.post("/products/{name}/hooks")
    async def machine(request: Request, name: str) -> Response:
        def acting(fields: Fields) -> Response:
            view = shop.view(request)
            product = product_named(view, name)
            try:
                secret = listening(shop, request, product, fields)
            except HookRefused as error:
                return shop.page("access.html", view, access_page(shop, request, product, str(error), fields), 422)
            if not secret:
                return RedirectResponse(f"/products/{name}/access#machines", 303)
            page = shop.page("access.html", view, access_page(shop, request, product, secret=secret))
            page.headers["cache-control"] = "no-store"
            return page

        return await taken(shop, request, acting)

    @router.post("/products/{name}/reviews")
    async def review(request: Request, name: str) -> Response:
        def reviewing(fields: Fields) -> Response:
            reviewed(shop, request, product_named(shop.view(request), name), fields)
            return RedirectResponse(f"/products/{name}#reviews", 303)

        return await taken(shop, request, reviewing)


def _inbox(router: APIRouter, shop: Shop) -> None:
    @router.get("/inbox")
    def inbox(request: Request) -> Response:
        return shop.page("inbox.html", shop.view(request), inbox_page(shop, request))

    @router.post("/grants/{grant:path}")
    async def decide(request: Request, grant: str) -> Response:
        def deciding(fields: Fields) -> Response:
            try:
                decided(shop, request, grant, fields)
            except NoSuchGrant as error:
                raise Missing(str(error)) from error
            except NotAllowed as error:
                return shop.page("inbox.html", shop.view(request), inbox_page(shop, request, str(error)), 409)
            return RedirectResponse("/inbox", 303)

        return await taken(shop, request, deciding)
