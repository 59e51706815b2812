"""API routes that act for a person: run a query, request a role, send results of checks from elsewhere."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from platform_resources.access.grants import NotAllowed
from platform_resources.dbt.imported.artefacts import ArtefactFile
from platform_resources.marketplace.api.descriptions import success
from platform_resources.marketplace.api.mesh_answers import RefusalData
from platform_resources.marketplace.api.product_answers import MovedReaderData
from platform_resources.marketplace.api.version_answers import AskedRoleData, QueryAnswerData
from platform_resources.marketplace.display.json_text import json_data
from platform_resources.marketplace.lab.lab_queries import LONGEST_SQL, LabQueue, QueryRefused, QueryTooMany, lab_result
from platform_resources.marketplace.people.access_pages import ATTRIBUTE, LONGEST_PURPOSE, asked_for, moved
from platform_resources.marketplace.people.bearers import needs
from platform_resources.marketplace.shop import NotGranted, Shop, product_named
from platform_resources.services.checks.tool_results import TOOLS, ToolDocument, tool_results
from platform_resources.spec.problems import problems_text, unknown_text

RESULTS = "/api/v1/results"
LARGEST_DOCUMENT = 4 * 2**20


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
    columns: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=100)] = []
    until: date | None = None
    to: Annotated[str, Field(max_length=200)] = ""


class SwitchAsked(_Asked):
    """Who has moved: whoever asks, unless `consumer` names a team of theirs."""

    consumer: Annotated[str, Field(max_length=200)] = ""


class TakenResultsData(TypedDict):
    """What was imported: how many results are new, were known or are older than what is known, each of them, and which belong nowhere."""

    invocation_id: str
    new: int
    known: int
    older: int
    tests: list[dict[str, Any]]
    refused: list[dict[str, str]]
    removed: list[dict[str, str]]
    error: str | None


@dataclass(frozen=True, slots=True)
class TakenResults:
    """What became of a document: the import as data, or, where that is None, `error` says why there was none."""

    imported: dict[str, Any] | None
    error: str = ""


# Imports a document in the form of a tool, results of a product where it does not say so, of only these products where any are given.
TakeResults = Callable[[bytes, str, str, Sequence[str] | None], TakenResults]


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
        answer = {"columns": result.names, "rows": result.rows, "cut": result.cut, "seconds": result.seconds}
        return JSONResponse(json_data({**answer, "products": result.products, "read": [asdict(version) for version in result.read]}))


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
        fields["columns"] = ",".join(asked.columns)
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


def result_routes(shop: Shop, queue: LabQueue, take: TakeResults) -> APIRouter:
    """For owners of the products that the results are of, and those who run the platform."""
    router = APIRouter(prefix="/api/v1", tags=["acting"], responses={"4XX": {"model": RefusalData}})
    form = {"requestBody": {"content": {"application/json": {"schema": ToolDocument.model_json_schema()}}, "required": True}}

    @router.post(
        RESULTS.removeprefix("/api/v1"),
        responses={200: {"model": TakenResultsData}},
        dependencies=[Depends(needs("act"))],
        summary="Results of checks that ran elsewhere become checks of their products; sent twice, they count once",
        openapi_extra=form,
    )
    async def results(
        request: Request,
        tool: Annotated[str, Query(max_length=50, description=f"the form: {', '.join(TOOLS)}")] = "json",
        product: Annotated[str, Query(max_length=200, description="whose results they are where the document does not say so")] = "",
    ) -> Response:
        return await run_in_threadpool(_taken, shop, queue, take, request, await request.body(), tool, product)

    return router


def _taken(shop: Shop, queue: LabQueue, take: TakeResults, request: Request, document: bytes, tool: str, product: str) -> Response:
    if tool not in TOOLS:
        return _refused(422, unknown_text("tool", tool, TOOLS))
    foreign = tool_results(ArtefactFile("results", document), tool, product or None)
    if isinstance(foreign, tuple):
        return _refused(422, problems_text(foreign))
    view, who = shop.view(request), shop.reads_as(request)
    everybody = shop.auth.officers.may_act_on_incidents(view.reader, ())
    own = [known.name for known in view.plan.products if shop.auth.officers.may_act_on_incidents(view.reader, known.owners)]
    if not everybody and not own:
        raise NotGranted("results of a product are sent by its owners, and by those who run the platform")
    try:
        with queue.place(f"results of {who}"):
            done = take(document, tool, product, None if everybody else own)
    except QueryTooMany as error:
        return JSONResponse({"error": str(error), "hint": None}, 429, {"retry-after": "5"})
    shop.market.written()
    if done.imported is None:
        return _refused(503, done.error)
    nothing = not done.imported["tests"] and not done.imported["removed"]
    return JSONResponse(
        {**done.imported, "error": done.error or None}, 422 if nothing and (done.imported["refused"] or done.error) else 200
    )


def _refused(status: int, error: str) -> Response:
    return JSONResponse({"error": error, "hint": "docs/operations.md describes the form"}, status)
