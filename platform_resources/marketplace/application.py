"""The web application of one mesh: pages, JSON and files, behind the guard."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from platform_resources.access.reader_standing import Reader
from platform_resources.ledger.database import LedgerUnavailable
from platform_resources.marketplace.api_routes import api_routes, described_addresses
from platform_resources.marketplace.display.rendering import STATIC, environment
from platform_resources.marketplace.downloads import Compressed, download_routes
from platform_resources.marketplace.kept_pages import FromMemory, KeptPages, Who
from platform_resources.marketplace.kept_view import Market, opened_market
from platform_resources.marketplace.page_routes import page_routes
from platform_resources.marketplace.security import FormRefused, FormToken, Guard, Scope
from platform_resources.marketplace.shop import Missing, NotGranted, Shop
from platform_resources.publications.version_records import VersionsUnreadable

YEAR = "public, max-age=31536000, immutable"
API = "/api/v1"


def at_this_computer(scope: Scope) -> Reader | None:
    """Nobody signs in: whoever sends a request is the user of this computer, who may read its files anyway."""
    return None


def shown_as(name: str) -> Who:
    """Every request is that of one reader: to look at the mesh through somebody's eyes."""
    return lambda _: Reader(name)


def served_mesh(root: Path, token: FormToken, reader: str | None) -> FastAPI:
    """The application of one process of several, which know each other's forms. Raises LedgerUnavailable."""
    return application(opened_market(root), who=shown_as(reader) if reader is not None else at_this_computer, token=token)


def application(market: Market, watch: bool = True, who: Who = at_this_computer, token: FormToken | None = None) -> FastAPI:
    """The pages and the JSON of one mesh; `watch` renews what they show in the background. `who` says of a request who reads."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if watch:
            market.watch()
        yield
        market.stop()

    app = FastAPI(title="Data market", version="1", docs_url=None, redoc_url=None, openapi_url=f"{API}/openapi.json", lifespan=lifespan)
    shop = Shop(market, environment(), token or FormToken(), KeptPages(market, who))
    app.mount("/static", _Kept(directory=STATIC))
    app.include_router(page_routes(shop))
    app.include_router(api_routes(shop))
    app.include_router(download_routes(shop))

    @app.get("/api", include_in_schema=False)
    def api(request: Request) -> Response:
        return shop.page("api.html", shop.view(request), {"page": "api", "addresses": described_addresses(app.openapi())})

    _add_errors(app, shop)
    app.add_middleware(Compressed, minimum_size=1000)
    app.add_middleware(FromMemory, kept=shop.kept)
    app.add_middleware(Guard)
    return app


class _Kept(StaticFiles):
    """Files whose address changes with them."""

    def file_response(self, *arguments: Any, **named: Any) -> Response:
        found = super().file_response(*arguments, **named)
        found.headers["cache-control"] = YEAR
        return found


def _add_errors(app: FastAPI, shop: Shop) -> None:
    def told(status: int, words: Callable[[Exception], tuple[str, str]]) -> Callable[[Request, Exception], Response]:
        def answer(request: Request, error: Exception) -> Response:
            (what, hint), code = words(error), getattr(error, "status_code", status)
            if request.url.path.startswith(API):
                return JSONResponse({"error": what, "hint": hint or None}, code)
            return shop.page("error.html", shop.view(request), {"page": "error", "what": what, "hint": hint}, code)

        return answer

    app.add_exception_handler(Missing, told(404, lambda error: (str(error), getattr(error, "hint", ""))))
    app.add_exception_handler(NotGranted, told(403, lambda error: ("This is not shown to you.", str(error))))
    app.add_exception_handler(HTTPException, told(404, _http_words))
    app.add_exception_handler(RequestValidationError, told(400, lambda _: ("This address is not written as it should be.", "")))
    app.add_exception_handler(FormRefused, told(403, lambda error: (str(error), "")))
    app.add_exception_handler(VersionsUnreadable, told(503, lambda error: ("The published versions cannot be read.", str(error))))
    app.add_exception_handler(LedgerUnavailable, _unavailable)


def _http_words(error: Exception) -> tuple[str, str]:
    status = getattr(error, "status_code", 404)
    return ("There is no page at this address." if status == 404 else "This cannot be done at this address.", "")


def _unavailable(request: Request, error: Exception) -> Response:
    return Response(f"{error}\n", 503, media_type="text/plain; charset=utf-8")
