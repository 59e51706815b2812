"""API routes about one product: description, versions, lineage, columns, reviews, profiles."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from platform_resources.marketplace.api.descriptions import success
from platform_resources.marketplace.api.lineage_answers import ColumnLineageData, LineageData
from platform_resources.marketplace.api.people_answers import LikesData, ReviewsData
from platform_resources.marketplace.api.product_answers import ProductData
from platform_resources.marketplace.api.version_answers import ProfileData, VersionData
from platform_resources.marketplace.column_page import asked_lineage
from platform_resources.marketplace.shop import Missing, Shop, product_named
from platform_resources.measuring.version_profiles import profile_data
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.published_versions import shelf
from platform_resources.services.catalog.access_snippets import login_of
from platform_resources.services.catalog.product_description import description_data, product_description
from platform_resources.services.catalog.reviewing import ShownReview, product_reviews
from platform_resources.services.catalog.use_of_products import also_read
from platform_resources.services.control_ports.declared_ports import control_port_states
from platform_resources.services.indicator_sentences import standing_data
from platform_resources.services.releases.ending_ports import ending_ports
from platform_resources.services.releases.product_life import product_life
from platform_resources.services.showing.column_lineage import lineage_data, neighbours, neighbours_data
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.services.showing.profiled_versions import seen_profiled
from platform_resources.services.showing.seen_mesh import seen_publications

PLACES = "the data set or model, `inputs/PORT` or `sources/PORT`; needed where several have the column"


def product_routes(router: APIRouter, shop: Shop) -> None:
    """Add the routes of a product, its versions and its lineage."""

    @router.get(
        "/products/{name}",
        responses=success(ProductData),
        summary="One product: what it is, how it is, its columns, promises, and ways to read it",
    )
    def product(request: Request, name: str) -> Response:
        return shop.kept_answer(request, lambda view: _product(shop, view, product_named(view, name), str(request.base_url)), name)

    @router.get(
        "/products/{name}/versions",
        responses=success(list[VersionData]),
        summary="The versions that can be read, newest first, and what each was made from",
    )
    def versions(request: Request, name: str) -> Response:
        return shop.kept_answer(request, lambda view: _versions(shop, view, product_named(view, name)), name)

    @router.get("/products/{name}/lineage", responses=success(LineageData), summary="What a product is made from, and who reads it")
    def lineage(request: Request, name: str) -> Response:
        return shop.kept_answer(request, lambda view: _lineage(shop, view, product_named(view, name)), name)

    shop.of_products[f"{router.prefix}/products/{{}}/lineage"] = lineage

    @router.get(
        "/products/{name}/columns/{column:path}",
        responses=success(ColumnLineageData),
        summary="From which columns one is made, and which a change of it concerns",
    )
    def column(request: Request, name: str, column: str, of: Annotated[str, Query(description=PLACES)] = "") -> Response:
        return shop.kept_answer(request, lambda view: lineage_data(asked_lineage(shop.market, view, product_named(view, name), column, of)))


def more_product_routes(router: APIRouter, shop: Shop) -> None:
    """Add the routes of similar products, reviews and profiles."""

    @router.get(
        "/products/{name}/similar",
        responses=success(LikesData),
        summary="Products that are like it, and what its readers read as well",
    )
    def similar(request: Request, name: str) -> Response:
        def likes(view: MeshOverview) -> dict[str, Any]:
            one = product_named(view, name)
            return {"similar": view.likenesses.similar(one.name), "also_read": also_read(view.use, one.name)}

        return shop.kept_answer(request, likes)

    @router.get("/products/{name}/reviews", responses=success(ReviewsData), summary="What people say of a product, and what was hidden")
    def reviews(request: Request, name: str) -> Response:
        return shop.kept_answer(request, lambda view: _reviews(shop, view, product_named(view, name)))

    @router.get(
        "/products/{name}/profiles/{data_set}",
        responses=success(ProfileData),
        summary="What is in each column, and what is different since the version before",
    )
    def profile(request: Request, name: str, data_set: str, version: str = "") -> Response:
        return shop.kept_answer(request, lambda view: _profile(shop, view, product_named(view, name), data_set, version))


def _product(shop: Shop, view: MeshOverview, product: ProductPlan, url: str) -> dict[str, Any]:
    name = product.name
    with shop.market.ledger.reading() as connection:
        states = control_port_states(connection, product) if view.sees_all(name) else ()
        endings = ending_ports(connection, view.plan, shop.market.lineage(view), [product], view.at)
        life = product_life(connection, shop.market.state, product)
    health, trust, state = view.health[name], view.trust[name], shop.market.state
    login = login_of(view.reading, product)
    described = product_description(product, health, trust, state, url, view.named_reader(name), states, endings, life, login)
    over_time = [{"check": s.indicator.check.name, **standing_data(s), "slices": [*s.slices]} for s in view.known.standings[name]]
    return {"as_of": view.at, **description_data(described, view.sees_all(name)), "over_time": over_time, "declared_in": product.place.file}


def _versions(shop: Shop, view: MeshOverview, product: ProductPlan) -> list[dict[str, Any]]:
    shelves = shelf(shop.market.state, product.domain, product.name)
    pins, seen = shelves.pins(), seen_publications(view.reading, product, shelves.published())
    return [{**asdict(version), "pinned_by": [who for who, what in pins.items() if what == version.id]} for version in reversed(seen)]


def _lineage(shop: Shop, view: MeshOverview, product: ProductPlan) -> dict[str, Any]:
    return {
        "reads": view.plan.upstream[product.name],
        "sources": [{"name": port.name, "interface": port.interface} for port in product.inputs if port.upstream is None],
        "read_by": view.plan.downstream.get(product.name, ()),
        "consumers": [
            {
                "title": consumer.title,
                "kind": consumer.kind,
                "owner": consumer.owner,
                "answer": view.answers.get((product.name, consumer.name)),
            }
            for consumer in product.consumers
        ],
        "columns": neighbours_data(neighbours(shop.market.lineage(view), product)),
    }


def _reviews(shop: Shop, view: MeshOverview, product: ProductPlan) -> dict[str, Any]:
    with shop.market.ledger.reading() as connection:
        reviews = product_reviews(connection, view.plan, product.name, view.at)
    hidden = [{"at": r.at, "by": r.hidden_by, "because": r.hidden_because, "since": r.hidden_at} for r in reviews.hidden]
    return {"stars": reviews.stars, "shown": [_review(review) for review in reviews.shown], "hidden": hidden}


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
