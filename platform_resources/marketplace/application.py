"""The web application of one mesh: pages, JSON API and downloads, behind access checks."""

import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware
from starlette.staticfiles import StaticFiles

from platform_resources.access.reader_standing import Reader
from platform_resources.ledger.database import LedgerUnavailable
from platform_resources.marketplace.ahead.page_maker import Attendant
from platform_resources.marketplace.ahead.shared_pages import shared_pages
from platform_resources.marketplace.api.acting_routes import LARGEST_DOCUMENT, RESULTS, TakeResults, acting_routes, result_routes
from platform_resources.marketplace.api.api_routes import api_routes
from platform_resources.marketplace.api.change_routes import change_routes
from platform_resources.marketplace.api.descriptions import described_addresses
from platform_resources.marketplace.api.own_routes import own_routes
from platform_resources.marketplace.api.record_routes import record_routes
from platform_resources.marketplace.beginning.new_product_pages import PAGE, new_product_routes
from platform_resources.marketplace.display.rendering import STATIC, environment
from platform_resources.marketplace.downloads import Compressed, download_routes, export_routes
from platform_resources.marketplace.kept_pages import PACKED, FromMemory, KeptPages, Who
from platform_resources.marketplace.kept_view import Market, opened_market
from platform_resources.marketplace.lab.lab_pages import lab_routes
from platform_resources.marketplace.lab.lab_queries import LOCKS, LabQueue
from platform_resources.marketplace.page_routes import page_routes
from platform_resources.marketplace.people.auth_settings import AuthSettings
from platform_resources.marketplace.people.bearers import Bearers
from platform_resources.marketplace.people.expectation_pages import expectation_routes
from platform_resources.marketplace.people.identity import Door, known_reader, vouched_for
from platform_resources.marketplace.people.people_routes import people_routes
from platform_resources.marketplace.people.rate_limits import Limited, RateLimits
from platform_resources.marketplace.people.sign_in import SESSION, sign_in_routes
from platform_resources.marketplace.people.token_pages import token_routes
from platform_resources.marketplace.probe_routes import probe_routes
from platform_resources.marketplace.security import LONGEST_BODY, FormRefused, FormToken, Guard
from platform_resources.marketplace.shop import Missing, NotGranted, Shop
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.redaction.log_lines import write_json_lines
from platform_resources.services.starting.kept_drafts import LARGEST_UPLOAD

YEAR = "public, max-age=31536000, immutable"
API = "/api/v1"
COOKIE = "mesh_session"
LEDGER_AWAY = "This needs the ledger, which does not answer now.", "Products, downloads and records go on; try this again in a moment."
SWITCH_SECONDS = 0.0005


def shown_as(name: str) -> Who:
    """Treat every request as coming from one reader, to see the mesh as they do."""
    return lambda _: Reader(name)


def served_mesh(root: Path, auth: AuthSettings, reader: str | None, take: TakeResults | None = None) -> FastAPI:
    """The application in one of several server processes, which share form tokens and sessions. Raises LedgerUnavailable."""
    write_json_lines(os.environ)
    # A thread that reads the mesh lets those that answer go on sooner than after the usual 5 ms.
    sys.setswitchinterval(SWITCH_SECONDS)
    return application(opened_market(root), who=shown_as(reader) if reader is not None else None, auth=auth, take=take, share=True)


def application(
    market: Market,
    watch: bool = True,
    who: Who | None = None,
    auth: AuthSettings | None = None,
    take: TakeResults | None = None,
    share: bool = False,
) -> FastAPI:
    """Build the application of one mesh; `watch` refreshes its data in the background, `share` shares pages with other processes.

    `who` says of a request who reads, whatever `auth` has found. `take` imports results of checks, which needs the run history.
    """
    auth = auth or AuthSettings()
    who = who or known_reader(auth)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        attending = threading.Thread(target=Attendant(shop, shop.kept.shared).run, name="attendant", daemon=True)
        if watch:
            attending.start()
        yield
        market.stop()
        if watch:
            attending.join()

    app = FastAPI(title="Data market", version="1", docs_url=None, redoc_url=None, openapi_url=f"{API}/openapi.json", lifespan=lifespan)
    kept = KeptPages(market, who, auth.started, shared_pages(market.state) if share else None)
    app.state.shop = shop = Shop(market, environment(), FormToken(auth.secret), kept, auth)
    _add_routes(app, shop, take)
    _add_errors(app, shop)
    _add_layers(app, shop, who)
    return app


def _add_routes(app: FastAPI, shop: Shop, take: TakeResults | None) -> None:
    app.mount("/static", _Kept(directory=STATIC))
    pages = page_routes(shop)
    for route in pages.routes:
        if isinstance(route, APIRoute) and route.methods == {"GET"}:
            route.methods = {"GET", "HEAD"}  # for whoever looks whether a link leads somewhere
    app.include_router(pages)
    for routes in (api_routes, download_routes, export_routes, people_routes, token_routes, probe_routes):
        app.include_router(routes(shop))
    queue = LabQueue(shop.market.state / LOCKS)
    for queried in (lab_routes, record_routes, change_routes, acting_routes, expectation_routes):
        app.include_router(queried(shop, queue))
    app.include_router(own_routes(shop))
    if take is not None:
        app.include_router(result_routes(shop, queue, take))
    app.include_router(new_product_routes(shop, queue))
    app.include_router(sign_in_routes(shop, shop.auth))

    @app.get("/api", include_in_schema=False)
    def api(request: Request) -> Response:
        return shop.page("api.html", shop.view(request), {"page": "api", "addresses": described_addresses(app.openapi())})


def _add_layers(app: FastAPI, shop: Shop, who: Who) -> None:
    """What each request passes, the innermost first."""
    auth = shop.auth
    app.add_middleware(Compressed, minimum_size=1000, compresslevel=PACKED)
    app.add_middleware(FromMemory, kept=shop.kept)
    app.add_middleware(Door, who=who, auth=auth)
    app.add_middleware(Limited, who=who, limits=RateLimits())
    secure = auth.pages.startswith("https://")
    app.add_middleware(Bearers, market=shop.market, vouched_for=partial(vouched_for, auth.proxy) if auth.proxy is not None else None)
    lasts = int(SESSION.total_seconds())
    app.add_middleware(SessionMiddleware, secret_key=auth.secret, session_cookie=COOKIE, max_age=lasts, https_only=secure)
    app.add_middleware(Guard, hosts=auth.hosts, uploads={PAGE: LARGEST_UPLOAD + LONGEST_BODY, RESULTS: LARGEST_DOCUMENT})


class _Kept(StaticFiles):
    """Static files that browsers may cache for ever, as their address changes with their content."""

    def file_response(self, *arguments: Any, **named: Any) -> Response:
        response = super().file_response(*arguments, **named)
        response.headers["cache-control"] = YEAR
        return response


def _add_errors(app: FastAPI, shop: Shop) -> None:
    def handler(status: int, words: Callable[[Exception], tuple[str, str]]) -> Callable[[Request, Exception], Response]:
        def answer(request: Request, error: Exception) -> Response:
            (what, hint), code = words(error), getattr(error, "status_code", status)
            if request.url.path.startswith(API):
                return JSONResponse({"error": what, "hint": hint or None}, code)
            context = {"page": "error", "what": what, "hint": hint, "href": getattr(error, "href", "")}
            try:
                return shop.page("error.html", shop.view(request), context, code)
            except LedgerUnavailable:  # it did not answer before there was a first page
                return Response(f"{what} {hint}\n", code, media_type="text/plain; charset=utf-8")

        return answer

    app.add_exception_handler(Missing, handler(404, lambda error: (str(error), getattr(error, "hint", ""))))
    app.add_exception_handler(NotGranted, handler(403, lambda error: ("This is not shown to you.", str(error))))
    app.add_exception_handler(HTTPException, handler(404, _http_words))
    app.add_exception_handler(RequestValidationError, handler(400, _invalid_words))
    app.add_exception_handler(FormRefused, handler(403, lambda error: (str(error), "")))
    app.add_exception_handler(VersionsUnreadable, handler(503, lambda error: ("The published versions cannot be read.", str(error))))
    app.add_exception_handler(LedgerUnavailable, handler(503, lambda _: LEDGER_AWAY))


def _invalid_words(error: Exception) -> tuple[str, str]:
    """What is wrong where, without what was sent."""
    wrong = error.errors() if isinstance(error, RequestValidationError) else ()
    places = [f"{'.'.join(map(str, mistake['loc'][1:])) or mistake['loc'][0]}: {mistake['msg']}" for mistake in wrong]
    sent = all(mistake["loc"][0] == "body" for mistake in wrong)
    return f"{'What was sent' if sent else 'This address'} is not written as it should be.", "; ".join(places)


def _http_words(error: Exception) -> tuple[str, str]:
    status = getattr(error, "status_code", 404)
    return ("There is no page at this address." if status == 404 else "This cannot be done at this address.", "")
