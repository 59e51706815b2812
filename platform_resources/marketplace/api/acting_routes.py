"""API routes that act for a person: run a query, request a role, register a webhook."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from platform_resources.access.grants import NotAllowed
from platform_resources.marketplace.api.descriptions import success
from platform_resources.marketplace.api.mesh_answers import RefusalData
from platform_resources.marketplace.api.product_answers import MovedReaderData
from platform_resources.marketplace.api.version_answers import AskedRoleData, QueryAnswerData
from platform_resources.marketplace.lab.lab_queries import LONGEST_SQL, LabQueue, QueryRefused, QueryTooMany, lab_result
from platform_resources.marketplace.people.access_pages import ATTRIBUTE, LONGEST_PURPOSE, asked_for, moved
from platform_resources.marketplace.people.bearers import needs
from platform_resources.marketplace.shop import Shop, product_named


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class QueryAsked(_Asked):
    """One SELECT; tables are product.data_set, or just data_set for those of `product`."""

    sql: Annotated[str, Field(min_length=1, max_length=LONGEST_SQL)]
    product: Annotated[str, Field(max_length=200)] = ""


class RoleAsked(_Asked):
    """A request for a role and its purpose; for the caller, or for a team or product of theirs in `to`."""

    role: Annotated[str, Field(min_length=1, max_length=200)]
    purpose: Annotated[str, Field(min_length=1, max_length=LONGEST_PURPOSE)]
    attributes: dict[str, str] = {}
    until: date | None = None
    to: Annotated[str, Field(max_length=200)] = ""


class SwitchAsked(_Asked):
    """Who has moved: whoever asks, unless `consumer` names a team of theirs."""

    consumer: Annotated[str, Field(max_length=200)] = ""


def acting_routes(shop: Shop, queue: LabQueue) -> APIRouter:
    """The JSON equivalents of the pages' forms."""
    refusals: dict[int | str, dict[str, Any]] = {"4XX": {"model": RefusalData}}
    router = APIRouter(prefix="/api/v1", tags=["acting"], default_response_class=JSONResponse, responses=refusals)
    _query(router, shop, queue)
    _asking(router, shop)
    return router


def _query(router: APIRouter, shop: Shop, queue: LabQueue) -> None:
    @router.post(
        "/query",
        responses=success(QueryAnswerData),
        dependencies=[Depends(needs("data"))],
        summary="The rows of one SELECT over everything that one may read, every value as a text",
    )
    def query(request: Request, asked: QueryAsked) -> Response:
        try:
            result = lab_result(shop, queue, request, asked.sql, asked.product)
        except QueryTooMany as error:
            return JSONResponse({"error": str(error), "hint": None}, 429, {"retry-after": "5"})
        except QueryRefused as error:
            return JSONResponse({"error": str(error), "hint": None}, 422)
        answer = {"columns": result.names, "rows": result.rows, "cut": result.cut, "seconds": result.seconds, "products": result.products}
        return JSONResponse(answer)


def _asking(router: APIRouter, shop: Shop) -> None:
    @router.post(
        "/products/{name}/access",
        status_code=201,
        responses={201: {"model": AskedRoleData}},
        dependencies=[Depends(needs("act"))],
        summary="Ask for a role of a product; its owner decides, unless the agreement says that it is automatic",
    )
    def access(request: Request, name: str, asked: RoleAsked) -> Response:
        attributes = {f"{ATTRIBUTE}:{asked.role}:{key}": value for key, value in asked.attributes.items()}
        fields = {"role": asked.role, "purpose": asked.purpose, "until": asked.until.isoformat() if asked.until else "", **attributes}
        product = product_named(shop.view(request), name)
        try:
            grant = asked_for(shop, request, product, fields | ({"to": asked.to} if asked.to else {}))
        except NotAllowed as error:
            return JSONResponse({"error": str(error), "hint": None}, 422)
        return JSONResponse({"grant": grant.name, "state": grant.last, "decides": list(product.owners)}, 201)

    @router.post(
        "/products/{name}/ports/{port}/switched",
        status_code=201,
        responses={201: {"model": MovedReaderData}},
        dependencies=[Depends(needs("act"))],
        summary="Say that one reads a port no more that ends, for whoever asks or a team of theirs",
    )
    def moving(request: Request, name: str, port: str, asked: SwitchAsked) -> Response:
        try:
            switch = moved(shop, request, product_named(shop.view(request), name), port, asked.consumer)
        except NotAllowed as error:
            return JSONResponse({"error": str(error), "hint": None}, 422)
        return JSONResponse({"consumer": switch.consumer, "by": switch.person, "at": switch.at.isoformat()}, 201)
