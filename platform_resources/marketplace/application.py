"""The web application of one mesh: which address shows what."""

import getpass
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.staticfiles import StaticFiles

from platform_resources.ledger.database import LedgerUnavailable
from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.marketplace.display.rendering import STATIC, environment, rendered
from platform_resources.marketplace.home_page import home_page, page_zone
from platform_resources.marketplace.kept_view import Market
from platform_resources.marketplace.product_page import product_page
from platform_resources.marketplace.security import FormToken, Guard
from platform_resources.plan.plan import ProductPlan
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.spec.problems import did_you_mean

YEAR = "public, max-age=31536000, immutable"


class Missing(Exception):
    """Raised where an address names something that there is not; the message says what, `hint` what may be meant."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Shop:
    """What all pages share."""

    market: Market
    templates: Environment
    token: FormToken
    reader: str

    def page(self, name: str, view: MeshOverview, context: dict[str, Any], status: int = 200) -> HTMLResponse:
        """A page of the template `name`."""
        whole = {"times": PageTimes(view.at, page_zone(view)), "reader": self.reader, "lacks": view.age.lacks, "token": self.token.value}
        return HTMLResponse(rendered(self.templates, name, **(whole | context)), status, {"cache-control": "no-cache"})


def product_named(view: MeshOverview, name: str) -> ProductPlan:
    """Raises Missing, with what may be meant."""
    found = {each.name: each for each in view.plan.products}
    if name not in found:
        raise Missing(f"There is no product “{name}” in this mesh.", did_you_mean(name, found) or "")
    return found[name]


def application(market: Market, watch: bool = True) -> FastAPI:
    """The pages and the JSON of one mesh; `watch` renews what they show in the background."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if watch:
            market.watch()
        yield
        market.stop()

    app = FastAPI(title="Data market", version="1", docs_url=None, redoc_url=None, openapi_url="/api/v1/openapi.json", lifespan=lifespan)
    shop = Shop(market, environment(), FormToken(), local_reader())
    app.mount("/static", _Kept(directory=STATIC))
    _add_pages(app, shop)
    _add_errors(app, shop)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(Guard)
    return app


def local_reader() -> str:
    """Whoever is at this computer; in a container there may be no name for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unnamed"


class _Kept(StaticFiles):
    """Files whose address changes with them."""

    def file_response(self, *arguments: Any, **named: Any) -> Response:
        found = super().file_response(*arguments, **named)
        found.headers["cache-control"] = YEAR
        return found


def _add_pages(app: FastAPI, shop: Shop) -> None:
    @app.get("/", include_in_schema=False)
    def home() -> HTMLResponse:
        view = shop.market.view()
        return shop.page("home.html", view, home_page(view))

    @app.get("/products/{name}", include_in_schema=False)
    def product(name: str) -> HTMLResponse:
        view = shop.market.view()
        return shop.page("product.html", view, product_page(shop.market, view, product_named(view, name)))


def _add_errors(app: FastAPI, shop: Shop) -> None:
    def told(status: int) -> Callable[[Request, Exception], Response]:
        def answer(request: Request, error: Exception) -> Response:
            hint = error.hint if isinstance(error, Missing) else ""
            what = "There is no page at this address." if isinstance(error, HTTPException) and error.status_code == 404 else str(error)
            context = {"page": "error", "what": what, "hint": hint}
            return shop.page("error.html", shop.market.view(), context, getattr(error, "status_code", status))

        return answer

    def unavailable(request: Request, error: Exception) -> Response:
        return Response(f"{error}\n", 503, media_type="text/plain; charset=utf-8")

    app.add_exception_handler(Missing, told(404))
    app.add_exception_handler(HTTPException, told(404))
    app.add_exception_handler(LedgerUnavailable, unavailable)
