"""Everything that the pages show as JSON, under /api/v1, described by /api/v1/openapi.json."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from platform_resources.ledger.people.incident_store import StoredIncident
from platform_resources.marketplace.column_page import asked_lineage
from platform_resources.marketplace.display.lineage_pictures import data_as_of
from platform_resources.marketplace.display.phrases import VERDICTS
from platform_resources.marketplace.search_page import chosen_facets, found
from platform_resources.marketplace.shop import Missing, Shop, product_named
from platform_resources.measuring.version_profiles import profile_data
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.published_versions import shelf
from platform_resources.services.catalog.product_description import description_data, product_description
from platform_resources.services.catalog.search_results import result_data
from platform_resources.services.catalog.use_of_products import also_read, candidates
from platform_resources.services.indicator_sentences import standing_data
from platform_resources.services.showing.column_lineage import lineage_data, neighbours, neighbours_data
from platform_resources.services.showing.incident_story import incident_story
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.services.showing.profiled_versions import profiled

Facet = Annotated[list[str] | None, Query(description="only products that have one of these")]
Number = Annotated[int, Query(ge=0, le=100_000)]


def api_routes(shop: Shop) -> APIRouter:
    """Reading only: what people do to incidents they do on pages."""
    router = APIRouter(prefix="/api/v1", tags=["mesh"], default_response_class=JSONResponse)
    _of_products(router, shop)
    _of_one_product(router, shop)
    _of_health(router, shop)
    return router


def answer(data: Any) -> JSONResponse:
    """Times as ISO 8601, lengths in seconds; what is not known, or no number, is null."""
    return JSONResponse(json_data(data), headers={"cache-control": "no-cache"})


def json_data(value: Any) -> Any:
    """Plain values, whatever the services give."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case Enum():
            return value.value
        case Mapping():
            return {str(key): json_data(item) for key, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {each.name: json_data(getattr(value, each.name)) for each in fields(value)}
        case list() | tuple() | set() | frozenset():
            return [json_data(item) for item in value]
        case _:
            return str(value)


def _of_products(router: APIRouter, shop: Shop) -> None:
    @router.get("/products", summary="All products and how each is")
    def products() -> JSONResponse:
        view = shop.market.view()
        return answer({"as_of": view.at, "ledger": view.age, "products": [_line(view, each) for each in view.plan.products]})

    @router.get("/search", summary="Products, columns and queries by words; typing errors are forgiven")
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
    ) -> JSONResponse:
        view = shop.market.view()
        return answer(result_data(found(shop.market, view, q, chosen_facets(request.query_params.multi_items()), first)))

    @router.get("/compare", summary="Up to four products side by side")
    def compare(p: Annotated[list[str], Query(description="the names", min_length=1, max_length=4)]) -> JSONResponse:
        view = shop.market.view()
        return answer([_line(view, product_named(view, name)) for name in p])

    @router.get("/candidates", summary="Models and sources that are no product although much is made from them")
    def reuse_candidates() -> JSONResponse:
        return answer(candidates(shop.market.view().use))


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
    @router.get("/products/{name}", summary="One product: what it is, how it is, its columns, promises, and ways to read it")
    def product(request: Request, name: str) -> JSONResponse:
        view = shop.market.view()
        one = product_named(view, name)
        described = product_description(one, view.health[name], view.trust[name], shop.market.state, str(request.base_url))
        over_time = [
            {"check": each.indicator.check.name, **standing_data(each), "slices": each.slices} for each in view.known.standings[name]
        ]
        return answer({"as_of": view.at, **description_data(described), "over_time": over_time, "declared_in": one.place.file})

    @router.get("/products/{name}/versions", summary="The versions that can be read, newest first, and what each was made from")
    def versions(name: str) -> JSONResponse:
        one = product_named(shop.market.view(), name)
        shelves = shelf(shop.market.state, one.domain, one.name)
        pins = shelves.pins()
        return answer(
            [
                {**asdict(each), "pinned_by": [who for who, what in pins.items() if what == each.id]}
                for each in reversed(shelves.published())
            ]
        )

    @router.get("/products/{name}/lineage", summary="What a product is made from, and who reads it")
    def lineage(name: str) -> JSONResponse:
        view = shop.market.view()
        one, below = product_named(view, name), view.plan.downstream
        return answer(
            {
                "reads": view.plan.upstream[name],
                "sources": [{"name": port.name, "interface": port.interface} for port in one.inputs if port.upstream is None],
                "read_by": below.get(name, ()),
                "consumers": [{"title": each.title, "kind": each.kind, "owner": each.owner} for each in one.consumers],
                "columns": neighbours_data(neighbours(shop.market.lineage(view), one)),
            }
        )

    @router.get("/products/{name}/columns/{column:path}", summary="From which columns one is made, and which a change of it concerns")
    def column(
        name: str, column: str, of: Annotated[str, Query(description="the data set or model, or `inputs/PORT`")] = ""
    ) -> JSONResponse:
        view = shop.market.view()
        return answer(lineage_data(asked_lineage(shop.market, view, product_named(view, name), column, of)))

    @router.get("/products/{name}/similar", summary="Products that are like it, and what its readers read as well")
    def similar(name: str) -> JSONResponse:
        view = shop.market.view()
        one = product_named(view, name)
        return answer({"similar": view.likenesses.similar(one.name), "also_read": also_read(view.use, one.name)})

    @router.get("/products/{name}/profiles/{data_set}", summary="What is in each column, and what is different since the version before")
    def profile(name: str, data_set: str, version: str = "") -> JSONResponse:
        product_named(shop.market.view(), name)
        with shop.market.ledger.reading() as connection:
            one = profiled(connection, name, data_set, version or None)
        if one is None:
            raise Missing(f"There is no profile of {data_set} of {name}{f' in version {version}' if version else ''}.")
        now = one.now
        told = {"version": now.version, "published_at": now.published_at, "columns": profile_data(now.profile)}
        return answer({**told, "version_before": one.before.version if one.before else None, "differences": one.differences})


def _of_health(router: APIRouter, shop: Shop) -> None:
    @router.get("/domains", summary="Health by domain")
    def domains() -> JSONResponse:
        view = shop.market.view()
        names = dict.fromkeys(product.domain for product in view.plan.products)
        return answer(
            [{"name": name, "products": [_line(view, each) for each in view.plan.products if each.domain == name]} for name in names]
        )

    @router.get("/incidents", summary="What is open, and what ended within 90 days")
    def incidents(live: bool | None = None) -> JSONResponse:
        chosen = [each for each in shop.market.view().incidents if live is None or each.incident.live == live]
        return answer([_incident(each) for each in chosen])

    @router.get("/incidents/{cause}/{number}", summary="One incident: what fails, whom it reaches, what has happened")
    def incident(cause: str, number: int) -> JSONResponse:
        view = shop.market.view()
        with shop.market.ledger.reading() as connection:
            story = incident_story(connection, view, f"{cause}#{number}")
        if story is None:
            raise Missing(f"There is no incident “{cause}#{number}”.")
        failures = [{**asdict(each), "fault": each.fault} for each in story.trouble.failures]
        return answer({**_incident(story.stored), "failures": failures, "reached": story.reached, "events": story.events})


def _incident(stored: StoredIncident) -> dict[str, Any]:
    return {"name": stored.incident.name, "severity": stored.severity, "title": stored.title, **asdict(stored.incident)}


def described_addresses(document: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    """The addresses of an OpenAPI document, with what each gives."""
    return [(path, methods["get"].get("summary", "")) for path, methods in sorted(document["paths"].items()) if "get" in methods]
