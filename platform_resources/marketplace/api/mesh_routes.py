"""API routes about many products: lists, search, comparison, domains."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from platform_resources.marketplace.api.descriptions import success
from platform_resources.marketplace.api.mesh_answers import CandidateData, DomainData, FoundData, ProductLineData, ProductsData
from platform_resources.marketplace.display.lineage_pictures import data_as_of
from platform_resources.marketplace.display.phrases import VERDICTS
from platform_resources.marketplace.search_page import chosen_facets, search_result
from platform_resources.marketplace.shop import Shop, product_named
from platform_resources.plan.plan import ProductPlan
from platform_resources.services.catalog.search_results import result_data
from platform_resources.services.catalog.use_of_products import candidates
from platform_resources.services.showing.mesh_overview import MeshOverview

Facet = Annotated[list[str] | None, Query(description="only products that have one of these")]
Number = Annotated[int, Query(ge=0, le=100_000)]


def mesh_routes(router: APIRouter, shop: Shop) -> None:
    """Add the routes of products, search, comparison, candidates and domains."""

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

    @router.get("/domains", responses=success(list[DomainData]), summary="Health by domain")
    def domains(request: Request) -> Response:
        return shop.kept_answer(request, _domains)


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


def _domains(view: MeshOverview) -> list[dict[str, Any]]:
    names = dict.fromkeys(product.domain for product in view.plan.products)
    return [{"name": name, "products": [_line(view, p) for p in view.plan.products if p.domain == name]} for name in names]
