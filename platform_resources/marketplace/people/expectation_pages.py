"""The page on which a consumer proposes a promise of a product, and the decisions of its owner."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from platform_resources.access.grants import NotAllowed
from platform_resources.capabilities.registry import installed_registry
from platform_resources.contracts.expectation import Expectation
from platform_resources.ledger.people.review_store import NoSuchExpectation, expectation_named, expectations_of
from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.marketplace.downloads import seen_ports
from platform_resources.marketplace.lab.lab_queries import LabQueue, QueryTooMany, place_of
from platform_resources.marketplace.people.access_pages import subjects
from platform_resources.marketplace.security import FormRefused
from platform_resources.marketplace.shop import Missing, Shop, product_named
from platform_resources.plan.plan import ProductPlan
from platform_resources.services.migrating.yaml_edits import CannotEdit
from platform_resources.services.releases.expectation_trials import trial
from platform_resources.services.releases.expectations import (
    LONGEST_SETTINGS,
    Wish,
    checked_wish,
    declined,
    drafted,
    proposed,
    settings_of,
)
from platform_resources.spec.values.grantees import is_same

Fields = Mapping[str, str]
BY_HAND = "its product.yaml is written in a form that is left to a person; ask its owner"


def expectation_routes(shop: Shop, queue: LabQueue) -> APIRouter:
    """Nothing here changes the mesh: owners take a patch, or decline."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/products/{name}/expect")
    def expect(request: Request, name: str) -> Response:
        return _page(shop, request, product_named(shop.view(request), name), {})

    @router.post("/products/{name}/expect")
    async def propose(request: Request, name: str) -> Response:
        fields = await shop.fields(request)
        return await run_in_threadpool(_proposed, shop, queue, request, name, fields)

    @router.get("/expectations/{name}/patch")
    def patch(request: Request, name: str) -> Response:
        expectation, product = _decided_by_reader(shop, request, name)
        try:
            draft = drafted(shop.market.root, product, expectation.component)
        except (NotAllowed, CannotEdit) as error:
            raise Missing(f"There is no patch of {name} any more.", str(error) or BY_HAND) from error
        headers = {"content-disposition": f'attachment; filename="{name}.patch"', "cache-control": "private, no-store"}
        return PlainTextResponse(draft.patch, headers=headers)

    @router.post("/expectations/{name}")
    async def decline(request: Request, name: str) -> Response:
        fields = await shop.fields(request)
        return await run_in_threadpool(_declined, shop, request, name, fields)

    return router


def _proposed(shop: Shop, queue: LabQueue, request: Request, name: str, fields: Fields) -> Response:
    """The page with how it came out; after a proposal it is listed there."""
    view, who, now = shop.view(request), shop.reads_as(request), datetime.now(UTC)
    product, person = product_named(view, name), fields.get("to", who)
    if person not in subjects(view, who):
        raise FormRefused(f"You may ask for {', '.join(subjects(view, who))}; not for “{person}”.")
    try:
        settings = {"dimension": fields.get("dimension", "")} | settings_of(fields.get("fields", ""))
        wish = checked_wish(Wish(name, fields.get("title", ""), settings, person, fields.get("purpose", "")))
        with place_of(queue, who) as bounds:
            draft = drafted(shop.market.root, product, wish.component)
            tried = trial(shop.market.state, shop.market.ledger, draft, seen_ports(shop, request), now, bounds)
        if fields.get("do") != "propose":
            return _page(shop, request, product, fields, tried=tried)
        with shop.market.ledger.writing() as connection:
            proposed(connection, wish, tried, now)
    except (NotAllowed, QueryTooMany) as error:
        return _page(shop, request, product, fields, refused=str(error))
    except CannotEdit:
        return _page(shop, request, product, fields, refused=BY_HAND)
    return RedirectResponse(f"/products/{name}/expect#yours", 303)


def _page(shop: Shop, request: Request, product: ProductPlan, typed: Fields, tried: str = "", refused: str = "") -> Response:
    view, who = shop.view(request), shop.reads_as(request)
    page: dict[str, Any] = {
        "page": "product",
        "times": PageTimes(view.at, product.zone),
        "product": product,
        "dimensions": sorted(installed_registry().dimensions()),
        "subjects": subjects(view, who),
        "own": own_expectations(shop, request, product),
        "typed": typed,
        "tried": tried,
        "refused": refused,
        "longest": LONGEST_SETTINGS,
    }
    return shop.page("expect.html", view, page, 422 if refused else 200)


def own_expectations(shop: Shop, request: Request, product: ProductPlan) -> list[Expectation]:
    """What the reader, or those for whom they may ask, expect of the product."""
    names = subjects(shop.view(request), shop.reads_as(request))
    with shop.market.ledger.reading() as connection:
        known = expectations_of(connection, [product.name])
    return [expectation for expectation in known if any(is_same(expectation.person, name) for name in names)]


def _decided_by_reader(shop: Shop, request: Request, name: str) -> tuple[Expectation, ProductPlan]:
    """The expectation and its product. Raises Missing, also for those who do not decide about it."""
    view = shop.view(request)
    try:
        with shop.market.ledger.reading() as connection:
            expectation = expectation_named(connection, name)
    except NoSuchExpectation as error:
        raise Missing(f"There is no expectation “{name}”.") from error
    product = product_named(view, expectation.product)
    if not shop.auth.officers.may_decide_on_grants(view.reader, product.owners):
        raise FormRefused("An owner of the product decides on this, or governance.")
    return expectation, product


def _declined(shop: Shop, request: Request, name: str, fields: Fields) -> Response:
    expectation, product = _decided_by_reader(shop, request, name)
    try:
        with shop.market.ledger.writing() as connection:
            declined(connection, product, expectation, shop.reads_as(request), fields.get("why", ""), datetime.now(UTC), vouched=True)
    except NotAllowed as error:
        raise FormRefused(f"It was not recorded: {error}.") from error
    return RedirectResponse("/inbox", 303)
