"""Everything that the pages show as JSON, under /api/v1, described by /api/v1/openapi.json."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response

from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.marketplace import api_answers
from platform_resources.marketplace.column_page import asked_lineage
from platform_resources.marketplace.display.lineage_pictures import data_as_of
from platform_resources.marketplace.display.phrases import VERDICTS
from platform_resources.marketplace.search_page import chosen_facets, found
from platform_resources.marketplace.shop import Missing, Shop, product_named
from platform_resources.measuring.version_profiles import profile_data
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.published_versions import shelf
from platform_resources.services.catalog.product_description import description_data, product_description
from platform_resources.services.catalog.reviewing import ShownReview, product_reviews
from platform_resources.services.catalog.search_results import result_data
from platform_resources.services.catalog.use_of_products import also_read, candidates
from platform_resources.services.indicator_sentences import standing_data
from platform_resources.services.showing.column_lineage import lineage_data, neighbours, neighbours_data
from platform_resources.services.showing.incident_story import incident_story
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.services.showing.profiled_versions import seen_profiled
from platform_resources.services.showing.seen_mesh import seen_publications, seen_story

Facet = Annotated[list[str] | None, Query(description="only products that have one of these")]
PLACES = "the data set or model, `inputs/PORT` or `sources/PORT`; needed where several have the column"
Number = Annotated[int, Query(ge=0, le=100_000)]


def api_routes(shop: Shop) -> APIRouter:
    """Reading only: what people do to incidents they do on pages."""
    router = APIRouter(
        prefix="/api/v1", tags=["mesh"], default_response_class=JSONResponse, responses={"4XX": {"model": api_answers.RefusalData}}
    )
    _of_products(router, shop)
    _of_one_product(router, shop)
    _more_of_one_product(router, shop)
    _of_health(router, shop)
    return router


def told(form: Any) -> dict[int | str, dict[str, Any]]:
    """What a route answers with, for OpenAPI."""
    return {200: {"model": form}}


def _of_products(router: APIRouter, shop: Shop) -> None:
    @router.get("/products", responses=told(api_answers.ProductsData), summary="All products and how each is")
    def products(request: Request) -> Response:
        return shop.kept_answer(
            request, lambda view: {"as_of": view.at, "ledger": view.age, "products": [_line(view, each) for each in view.plan.products]}
        )

    @router.get(
        "/search", responses=told(api_answers.FoundData), summary="Products, columns and queries by words; typing errors are forgiven"
    )
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
        return shop.kept_answer(request, lambda view: result_data(found(shop.market, view, q, chosen, first)))

    @router.get("/compare", responses=told(list[api_answers.ProductLineData]), summary="Up to four products side by side")
    def compare(request: Request, p: Annotated[list[str], Query(description="the names", min_length=1, max_length=4)]) -> Response:
        return shop.kept_answer(request, lambda view: [_line(view, product_named(view, name)) for name in p])

    @router.get(
        "/candidates",
        responses=told(list[api_answers.CandidateData]),
        summary="Models and sources that are no product although much is made from them",
    )
    def reuse_candidates(request: Request) -> Response:
        return shop.kept_answer(request, lambda view: candidates(view.use))


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
        "open_incidents": [each.incident.name for each in trust.incidents],
        "reads_in_30_days": trust.reads.count,
        "readers_in_30_days": len(trust.reads.readers),
        "key_asset_score": view.use.scores[product.name],
    }


def _of_one_product(router: APIRouter, shop: Shop) -> None:
    @router.get(
        "/products/{name}",
        responses=told(api_answers.ProductData),
        summary="One product: what it is, how it is, its columns, promises, and ways to read it",
    )
    def product(request: Request, name: str) -> Response:
        return shop.kept_answer(request, lambda view: _product(shop, view, product_named(view, name), str(request.base_url)))

    @router.get(
        "/products/{name}/versions",
        responses=told(list[api_answers.VersionData]),
        summary="The versions that can be read, newest first, and what each was made from",
    )
    def versions(request: Request, name: str) -> Response:
        return shop.kept_answer(request, lambda view: _versions(shop, view, product_named(view, name)))

    @router.get(
        "/products/{name}/lineage", responses=told(api_answers.LineageData), summary="What a product is made from, and who reads it"
    )
    def lineage(request: Request, name: str) -> Response:
        return shop.kept_answer(request, lambda view: _lineage(shop, view, product_named(view, name)))

    @router.get(
        "/products/{name}/columns/{column:path}",
        responses=told(api_answers.ColumnLineageData),
        summary="From which columns one is made, and which a change of it concerns",
    )
    def column(request: Request, name: str, column: str, of: Annotated[str, Query(description=PLACES)] = "") -> Response:
        return shop.kept_answer(request, lambda view: lineage_data(asked_lineage(shop.market, view, product_named(view, name), column, of)))


def _more_of_one_product(router: APIRouter, shop: Shop) -> None:
    @router.get(
        "/products/{name}/similar",
        responses=told(api_answers.LikesData),
        summary="Products that are like it, and what its readers read as well",
    )
    def similar(request: Request, name: str) -> Response:
        def likes(view: MeshOverview) -> dict[str, Any]:
            one = product_named(view, name)
            return {"similar": view.likenesses.similar(one.name), "also_read": also_read(view.use, one.name)}

        return shop.kept_answer(request, likes)

    @router.get(
        "/products/{name}/reviews", responses=told(api_answers.ReviewsData), summary="What people say of a product, and what was hidden"
    )
    def reviews(request: Request, name: str) -> Response:
        return shop.kept_answer(request, lambda view: _reviews(shop, view, product_named(view, name)))

    @router.get(
        "/products/{name}/profiles/{data_set}",
        responses=told(api_answers.ProfileData),
        summary="What is in each column, and what is different since the version before",
    )
    def profile(request: Request, name: str, data_set: str, version: str = "") -> Response:
        return shop.kept_answer(request, lambda view: _profile(shop, view, product_named(view, name), data_set, version))


def _product(shop: Shop, view: MeshOverview, product: ProductPlan, url: str) -> dict[str, Any]:
    name = product.name
    described = product_description(product, view.health[name], view.trust[name], shop.market.state, url, view.named_reader(name))
    over_time = [{"check": each.indicator.check.name, **standing_data(each), "slices": each.slices} for each in view.known.standings[name]]
    return {"as_of": view.at, **description_data(described), "over_time": over_time, "declared_in": product.place.file}


def _versions(shop: Shop, view: MeshOverview, product: ProductPlan) -> list[dict[str, Any]]:
    shelves = shelf(shop.market.state, product.domain, product.name)
    pins, seen = shelves.pins(), seen_publications(view.reading, product, shelves.published())
    return [{**asdict(each), "pinned_by": [who for who, what in pins.items() if what == each.id]} for each in reversed(seen)]


def _lineage(shop: Shop, view: MeshOverview, product: ProductPlan) -> dict[str, Any]:
    return {
        "reads": view.plan.upstream[product.name],
        "sources": [{"name": port.name, "interface": port.interface} for port in product.inputs if port.upstream is None],
        "read_by": view.plan.downstream.get(product.name, ()),
        "consumers": [
            {"title": each.title, "kind": each.kind, "owner": each.owner, "answer": view.answers.get((product.name, each.name))}
            for each in product.consumers
        ],
        "columns": neighbours_data(neighbours(shop.market.lineage(view), product)),
    }


def _reviews(shop: Shop, view: MeshOverview, product: ProductPlan) -> dict[str, Any]:
    with shop.market.ledger.reading() as connection:
        reviews = product_reviews(connection, view.plan, product.name, view.at)
    hidden = [{"at": each.at, "by": each.hidden_by, "because": each.hidden_because, "since": each.hidden_at} for each in reviews.hidden]
    return {"stars": reviews.stars, "shown": [_review(each) for each in reviews.shown], "hidden": hidden}


def _review(shown: ShownReview) -> dict[str, Any]:
    one = shown.review
    answered = {"answer": one.answer, "answered_by": one.answered_by, "answered_at": one.answered_at}
    return {"person": one.person, "stars": one.stars, "text": one.said, "at": one.at, "verified_reader": shown.verified, **answered}


def _profile(shop: Shop, view: MeshOverview, product: ProductPlan, data_set: str, version: str) -> dict[str, Any]:
    with shop.market.ledger.reading() as connection:
        one = seen_profiled(connection, view.reading, product, data_set, version or None)
    if one is None:
        raise Missing(f"There is no profile of {data_set} of {product.name}{f' in version {version}' if version else ''}.")
    return {
        "version": one.now.version,
        "published_at": one.now.published_at,
        "columns": profile_data(one.now.profile),
        "version_before": one.before.version if one.before else None,
        "differences": one.differences,
    }


def _of_health(router: APIRouter, shop: Shop) -> None:
    @router.get("/domains", responses=told(list[api_answers.DomainData]), summary="Health by domain")
    def domains(request: Request) -> Response:
        return shop.kept_answer(request, _domains)

    @router.get("/incidents", responses=told(list[api_answers.IncidentData]), summary="What is open, and what ended within 90 days")
    def incidents(request: Request, live: bool | None = None) -> Response:
        return shop.kept_answer(
            request, lambda view: [_incident(each) for each in view.incidents if live is None or each.incident.live == live]
        )

    @router.get(
        "/incidents/{cause}/{number}",
        responses=told(api_answers.IncidentStoryData),
        summary="One incident: what fails, whom it reaches, what has happened",
    )
    def incident(request: Request, cause: str, number: int) -> Response:
        return shop.kept_answer(request, lambda view: _story(shop, view, f"{cause}#{number}"))


def _domains(view: MeshOverview) -> list[dict[str, Any]]:
    names = dict.fromkeys(product.domain for product in view.plan.products)
    return [{"name": name, "products": [_line(view, each) for each in view.plan.products if each.domain == name]} for name in names]


def _story(shop: Shop, view: MeshOverview, name: str) -> dict[str, Any]:
    with shop.market.ledger.reading() as connection:
        story = incident_story(connection, view, name)
    if story is None:
        raise Missing(f"There is no incident “{name}”.")
    story = seen_story(story, view)
    failures = [{**asdict(each), "fault": each.fault} for each in story.trouble.failures]
    return {**_incident(story.stored), "failures": failures, "reached": story.reached, "events": story.events}


def _incident(stored: StoredIncident) -> dict[str, Any]:
    return {"name": stored.incident.name, "severity": stored.severity, "title": stored.title, **asdict(stored.incident)}


def described_addresses(document: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """The addresses of an OpenAPI document, with what each gives."""
    return [(path, methods["get"].get("summary", "")) for path, methods in sorted(document["paths"].items()) if "get" in methods]
