"""API routes about many products: lists, search, comparison, domains, the map and the first page."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from platform_resources.marketplace.api.descriptions import success
from platform_resources.marketplace.api.mesh_answers import (
    CandidateData,
    DomainData,
    FoundData,
    HomeData,
    MapData,
    ProductLineData,
    ProductsData,
    WholeDomainData,
)
from platform_resources.marketplace.display.lineage_pictures import data_as_of
from platform_resources.marketplace.display.phrases import VERDICTS
from platform_resources.marketplace.domain_pages import by_budget, domain_page
from platform_resources.marketplace.home_page import at_risk, certified, deadlines, newest, used
from platform_resources.marketplace.map_page import domain_reads
from platform_resources.marketplace.search_page import chosen_facets, search_result
from platform_resources.marketplace.shop import Shop, product_named
from platform_resources.plan.plan import ProductPlan
from platform_resources.services.catalog.search_results import result_data
from platform_resources.services.catalog.use_of_products import candidates
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.services.trust import indicator_data, response_data

Facet = Annotated[list[str] | None, Query(description="only products that have one of these")]
Number = Annotated[int, Query(ge=0, le=100_000)]


def mesh_routes(router: APIRouter, shop: Shop) -> None:
    """Add the routes of products, search, comparison, candidates and domains."""
    _product_routes(router, shop)
    _overview_routes(router, shop)


def _product_routes(router: APIRouter, shop: Shop) -> None:
    @router.get("/products", responses=success(ProductsData), summary="All products and how each is")
    def products(request: Request) -> Response:
        return shop.kept_answer(
            request, lambda view: {"as_of": view.at, "ledger": view.age, "products": [_line(view, p) for p in view.plan.products]}
        )

    @router.get("/search", responses=success(FoundData), summary="Products, columns and queries by words; typing errors are forgiven")
    def search(
        request: Request,
        q: Annotated[str, Query(description="the words", max_length=200)] = "",
        first: Number = 0,
        domain: Facet = None,
        archetype: Facet = None,
        class_: Annotated[list[str] | None, Query(alias="class")] = None,
        lifecycle: Facet = None,
        certified: Facet = None,
        health: Facet = None,
        tags: Facet = None,
    ) -> Response:
        chosen = chosen_facets(request.query_params.multi_items())
        return shop.kept_answer(request, lambda view: result_data(search_result(shop.market, view, q, chosen, first)))

    @router.get("/compare", responses=success(list[ProductLineData]), summary="Up to four products side by side")
    def compare(request: Request, p: Annotated[list[str], Query(description="the names", min_length=1, max_length=4)]) -> Response:
        return shop.kept_answer(request, lambda view: [_line(view, product_named(view, name)) for name in p])

    @router.get(
        "/candidates",
        responses=success(list[CandidateData]),
        summary="Models and sources that are no product although much is made from them",
    )
    def reuse_candidates(request: Request) -> Response:
        return shop.kept_answer(request, lambda view: candidates(view.use))


def _overview_routes(router: APIRouter, shop: Shop) -> None:
    @router.get("/domains", responses=success(list[DomainData]), summary="Health by domain")
    def domains(request: Request) -> Response:
        return shop.kept_answer(request, _domains)

    @router.get("/domains/{name}", responses=success(WholeDomainData), summary="One domain: products, promises, incidents, next digest")
    def domain(request: Request, name: str) -> Response:
        return shop.kept_answer(request, lambda view: _domain(shop, view, name))

    @router.get("/map", responses=success(MapData), summary="The whole mesh: who reads from whom, and how each is")
    def whole_map(request: Request) -> Response:
        return shop.kept_answer(request, _map)

    @router.get("/home", responses=success(HomeData), summary="What is open, at risk, due next, most used, new and newly certified")
    def home(request: Request) -> Response:
        return shop.kept_answer(request, _home)


def _line(view: MeshOverview, product: ProductPlan) -> dict[str, Any]:
    health, trust = view.health[product.name], view.trust[product.name]
    return {
        "name": product.name,
        "title": product.title,
        "domain": product.domain,
        "description": product.info.description,
        "lifecycle": product.info.lifecycle,
        "certified": product.info.certified,
        "version": product.info.version,
        "status": health.status,
        "reason": health.reason,
        "columns_concerned": health.columns,
        "promises": {verdict: health.count(verdict) for verdict in VERDICTS},
        "data_as_of": data_as_of(health),
        "rows": health.published.rows if health.published is not None else None,
        "open_incidents": [stored.incident.name for stored in trust.incidents],
        "reads_in_30_days": trust.reads.count,
        "readers_in_30_days": len(trust.reads.readers),
        "key_asset_score": view.use.scores[product.name],
        "score": view.letters.get(product.name),
    }


def _domain(shop: Shop, view: MeshOverview, name: str) -> dict[str, Any]:
    page = domain_page(shop.market, view, name)
    own, plan, row = [line.plan for line in page["lines"]], page["plan"], page["row"]
    promises = by_budget(view.known.standings, own)
    return {
        "name": name,
        "title": page["title"],
        "description": plan.description if plan else "",
        "owners": plan.owners if plan else (),
        "products": [_line(view, product) for product in own],
        "promises_over_time": [{"product": one.name, **indicator_data(standing)} for one, standing in promises],
        "open_incidents": [stored.incident.name for stored in page["incidents"]],
        "response": response_data(page["response"]),
        "steps": row.steps,
        "steps_watched": row.watched,
        "digest": page["digest"],
    }


def _map(view: MeshOverview) -> dict[str, Any]:
    plan = view.plan
    return {
        "as_of": view.at,
        "products": [
            {"name": p.name, "title": p.title, "domain": p.domain, "status": view.health[p.name].status, "reads": plan.upstream[p.name]}
            for p in plan.products
        ],
        "consumers": [
            {"name": consumer.name, "title": consumer.title, "kind": consumer.kind, "reads": product.name}
            for product in plan.products
            for consumer in product.consumers
        ],
        "domains": [{"domain": reader, "reads": source, "products": many} for (source, reader), many in domain_reads(plan).items()],
    }


def _home(view: MeshOverview) -> dict[str, Any]:
    return {
        "as_of": view.at,
        "open_incidents": [stored.incident.name for stored in view.live],
        "at_risk": [missed for _, missed in at_risk(view)],
        "deadlines": [{"product": product.name, "promise": title, "at": at} for at, product, title in deadlines(view)],
        "most_used": [{"product": product.name, "reads": reads, "readers": readers} for product, reads, readers in used(view)],
        "newly_published": [{"product": product.name, "at": at} for product, at in newest(view)],
        "newly_certified": [{"product": product.name, "at": at} for product, at in certified(view)],
    }


def _domains(view: MeshOverview) -> list[dict[str, Any]]:
    names = dict.fromkeys(product.domain for product in view.plan.products)
    return [{"name": name, "products": [_line(view, p) for p in view.plan.products if p.domain == name]} for name in names]
