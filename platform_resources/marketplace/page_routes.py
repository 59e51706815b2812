"""The routes of pages, and of forms about incidents."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from platform_resources.incidents.life_cycle import IllegalTransition
from platform_resources.marketplace.column_page import column_page
from platform_resources.marketplace.compare_page import MOST, compare_page
from platform_resources.marketplace.display.phrases import listed
from platform_resources.marketplace.domain_pages import domain_page, domains_page
from platform_resources.marketplace.home_page import home_page, page_zone
from platform_resources.marketplace.incident_pages import acted, incident_list, incident_page
from platform_resources.marketplace.map_page import domain_map_page, map_page
from platform_resources.marketplace.people.inbox import for_you
from platform_resources.marketplace.people.review_forms import reviews_shown
from platform_resources.marketplace.product_page import product_page
from platform_resources.marketplace.search_page import chosen_facets, search_page
from platform_resources.marketplace.shop import FRESH, Missing, NotGranted, Shop, product_named
from platform_resources.services.catalog.use_of_products import candidates
from platform_resources.services.showing.incident_acts import NoSuchIncident
from platform_resources.services.showing.incident_story import incident_story
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.services.showing.seen_mesh import seen_story


def page_routes(shop: Shop) -> APIRouter:
    """All pages except error pages."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    _search(router, shop)
    _products(router, shop)
    _health(router, shop)
    _incidents(router, shop)
    return router


def _products(router: APIRouter, shop: Shop) -> None:
    @router.get("/products/{name}")
    def product(request: Request, name: str) -> Response:
        def make(view: MeshOverview) -> tuple[str, dict[str, Any]]:
            one = product_named(view, name)
            reviews = shop.market.patient.said(lambda connection: reviews_shown(shop, view, connection, one), dict[str, Any]())
            return "product.html", product_page(shop.market, view, one, str(request.base_url)) | reviews

        return shop.kept_page(request, make, name)

    shop.of_products["/products/{}"] = product

    @router.get("/products/{name}/product.yaml")
    def declared(request: Request, name: str) -> Response:
        """As its team has written it, with who has which role: for those who see the whole product."""
        view = shop.view(request)
        one = product_named(view, name)
        if not view.sees_all(one.name):
            raise NotGranted(f"product.yaml of {one.name} says who may see what of it; ask {listed(one.owners) or 'its owner'} for it")
        return PlainTextResponse((shop.market.root / one.place.file).read_text(encoding="utf-8"), headers=FRESH)

    @router.get("/products/{name}/columns/{column:path}")
    def column(request: Request, name: str, column: str, of: str = "") -> Response:
        return shop.kept_page(request, lambda view: ("column.html", column_page(shop.market, view, product_named(view, name), column, of)))


def _search(router: APIRouter, shop: Shop) -> None:
    @router.get("/")
    def home(request: Request) -> Response:
        return shop.kept_page(request, lambda view: ("home.html", home_page(view) | {"me": for_you(shop, view)}))

    shop.of_mesh["/"] = lambda request, _: home(request)

    @router.get("/search")
    def search(request: Request, q: str = "", first: Annotated[int, Query(ge=0, le=100_000)] = 0) -> Response:
        chosen = chosen_facets(request.query_params.multi_items())
        return shop.kept_page(request, lambda view: ("search.html", search_page(shop.market, view, q, chosen, first)))

    @router.get("/compare")
    def compare(request: Request, p: Annotated[list[str] | None, Query()] = None) -> Response:
        names = list(dict.fromkeys(p or ()))[:MOST]
        return shop.kept_page(request, lambda view: ("compare.html", compare_page(view, [product_named(view, name) for name in names])))

    @router.get("/map")
    def whole_map(request: Request) -> Response:
        return shop.kept_page(request, lambda view: ("map.html", map_page(view)))

    shop.of_mesh["/map"] = lambda request, _: whole_map(request)

    @router.get("/map/{name}")
    def domain_map(request: Request, name: str) -> Response:
        return shop.kept_page(request, lambda view: ("map.html", domain_map_page(view, name)))

    @router.get("/candidates")
    def reuse_candidates(request: Request) -> Response:
        return shop.kept_page(request, lambda view: ("candidates.html", candidates_page(view)))


def candidates_page(view: MeshOverview) -> dict[str, Any]:
    """The context of the template `candidates.html`."""
    return {"page": "candidates", "rows": candidates(view.use), "titles": {product.name: product.title for product in view.plan.products}}


def _health(router: APIRouter, shop: Shop) -> None:
    @router.get("/domains")
    def domains(request: Request) -> Response:
        return shop.kept_page(request, lambda view: ("domains.html", domains_page(view)))

    shop.of_mesh["/domains"] = lambda request, _: domains(request)

    @router.get("/domains/{name}")
    def domain(request: Request, name: str) -> Response:
        return shop.kept_page(request, lambda view: ("domain.html", domain_page(shop.market, view, name)))


def _incidents(router: APIRouter, shop: Shop) -> None:
    @router.get("/incidents")
    def incidents(request: Request) -> Response:
        return shop.kept_page(request, lambda view: ("incidents.html", incident_list(view, page_zone(view))))

    def shown(request: Request, cause: str, number: int, refused: IllegalTransition | None = None, status: int = 200) -> HTMLResponse:
        view = shop.view(request)
        with shop.market.ledger.reading() as connection:
            story = incident_story(connection, view, f"{cause}#{number}")
        if story is None:
            raise Missing(f"There is no incident “{cause}#{number}”.")
        return shop.page("incident.html", view, incident_page(shop, view, seen_story(story, view), refused), status)

    @router.get("/incidents/{cause}/{number}")
    def incident(request: Request, cause: str, number: int) -> HTMLResponse:
        return shown(request, cause, number)

    def done(request: Request, cause: str, number: int, fields: dict[str, str]) -> Response:
        try:
            acted(shop, request, f"{cause}#{number}", fields)
        except NoSuchIncident as error:
            raise Missing(f"{error}.") from error
        except IllegalTransition as error:
            return shown(request, cause, number, error, 409)
        return RedirectResponse(f"/incidents/{cause}/{number}", 303)

    @router.post("/incidents/{cause}/{number}")
    async def act(request: Request, cause: str, number: int) -> Response:
        fields = await shop.fields(request)
        return await run_in_threadpool(done, request, cause, number, fields)
