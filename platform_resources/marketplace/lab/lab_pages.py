"""The data lab's page, and downloads of query results."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from platform_resources.ledger.people.lab_store import LabQuery, forget_saved, record_query, saved_queries
from platform_resources.marketplace.display import phrases
from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.marketplace.home_page import page_zone
from platform_resources.marketplace.lab.lab_queries import LONGEST_SQL, LabQueue, LabResult, QueryRefused, lab_file, lab_result
from platform_resources.marketplace.lab.result_charts import numbers_of, result_chart
from platform_resources.marketplace.lab.sent_results import sent_file
from platform_resources.marketplace.security import FormRefused
from platform_resources.marketplace.shop import Shop
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.consumer_queries import named_products
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.warehouses.written_results import ResultForm

ROWS_ON_PAGE, LONGEST_TITLE = 100, 200
FIRST = "select *\nfrom {product}.{data_set}\nlimit 100"


@dataclass(frozen=True, slots=True)
class LabTable:
    """A data set that the reader may query, with its visible columns."""

    product: ProductPlan
    data_set: str
    columns: tuple[str, ...]

    @property
    def query(self) -> str:
        """A first query over the table."""
        return FIRST.format(product=self.product.name, data_set=self.data_set)


class LabAsked(BaseModel):
    """What the address of the lab's page says. `show` is the column that is drawn; `of` the one product of which tables and queries are
    listed.
    """

    sql: str = ""
    product: str = ""
    first: Annotated[int, Field(ge=0)] = 0
    show: str = ""
    of: str = ""


def lab_routes(shop: Shop, queue: LabQueue) -> APIRouter:
    """The lab's routes. A query is part of its address: opening a shared link runs it as the person who opens it."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get("/lab")
    def lab(request: Request, asked: Annotated[LabAsked, Query()]) -> Response:
        result, refused = None, ""
        try:
            result = lab_result(shop, queue, request, asked.sql, asked.product) if asked.sql.strip() else None
        except QueryRefused as error:
            refused = str(error)
        page = lab_page(shop, request, asked, result, refused)
        return shop.page("lab.html", shop.view(request), page, 422 if refused else 200)

    @router.get("/lab/result.{form}")
    def as_file(request: Request, form: ResultForm, sql: str, product: str = "") -> Response:
        try:
            file, _ = lab_file(shop, queue, request, sql, product, form)
        except QueryRefused as error:
            return Response(f"{error}\n", 422, media_type="text/plain; charset=utf-8")
        return sent_file(file, form, {"content-disposition": f'attachment; filename="result.{form}"'})

    @router.post("/lab/stop")
    async def stop(request: Request) -> Response:
        await shop.fields(request)
        queue.stop(shop.reads_as(request))
        return RedirectResponse("/lab", 303)

    @router.post("/lab/saved")
    async def save(request: Request) -> Response:
        fields = await shop.fields(request)
        return await run_in_threadpool(saved, shop, request, fields)

    return router


def saved(shop: Shop, request: Request, fields: Mapping[str, str]) -> Response:
    """Save a query for everybody, or delete one's own. Raises FormRefused."""
    who, title, sql, product = (
        shop.reads_as(request),
        fields.get("title", "").strip(),
        fields.get("sql", "").strip(),
        fields.get("product", ""),
    )
    if not title or len(title) > LONGEST_TITLE or not sql or len(sql) > LONGEST_SQL:
        raise FormRefused("A saved query needs a title and its SQL.")
    with shop.market.ledger.writing() as connection:
        forget_saved(connection, who, title)
        if fields.get("do") != "forget":
            record_query(connection, LabQuery(who, datetime.now(UTC), product, sql, title=title))
    return RedirectResponse(f"/lab?{address_of(sql, product)}" if fields.get("do") != "forget" else "/lab", 303)


def address_of(sql: str, product: str = "") -> str:
    """The query string of the lab's page for a query."""
    return urlencode({"product": product, "sql": sql} if product else {"sql": sql})


def lab_page(shop: Shop, request: Request, asked: LabAsked, result: LabResult | None, refused: str) -> dict[str, Any]:
    """The context of the template `lab.html`."""
    view, first = shop.view(request), asked.first
    lists = lab_lists(shop, view, asked.of)
    tables = lists["queryable"]
    return lists | {
        "page": "lab",
        "times": PageTimes(view.at, page_zone(view)),
        "sql": asked.sql or (tables[0].query if tables else ""),
        "product": asked.product,
        "completed": _completed(tables, asked.product),
        "numeric": numbers_of(result.names, result.rows[first : first + ROWS_ON_PAGE]) if result is not None else (),
        "chart": result_chart(result.names, result.rows, asked.show) if result is not None else None,
        "who": shop.reads_as(request),
        "result": result,
        "shown": result.rows[first : first + ROWS_ON_PAGE] if result is not None else (),
        "first": first,
        "next": first + ROWS_ON_PAGE if result is not None and first + ROWS_ON_PAGE < len(result.rows) else None,
        "link": address_of(asked.sql, asked.product),
        "address_of": address_of,
        "refused": refused,
        "look": phrases.look,
        "read": [
            (version, view.plan.product(version.product), view.health[version.product])
            for version in (result.read if result is not None else ())
            if version.product in view.health
        ],
    }


def lab_lists(shop: Shop, view: MeshOverview, of: str) -> dict[str, Any]:
    """Tables and queries for the reader; of the product `of` alone, if they may read it. `queryable` are all tables."""
    queryable = readable_tables(view)
    readable = {table.product.name for table in queryable}
    kept = tuple(_readable_queries(shop, shop.market.patient.said(saved_queries, ()), readable))
    listed = {of} & readable or readable
    return {
        "queryable": queryable,
        "tables": [table for table in queryable if table.product.name in listed],
        "samples": [(product, query) for product in view.plan.products if product.name in listed for query in product.sample_queries],
        "saved": [(query, [view.plan.product(name) for name in read]) for query, read in kept if listed & set(read)],
        "of": view.plan.product(of) if of in readable else None,
    }


def _readable_queries(shop: Shop, saved: Iterable[LabQuery], readable: set[str]) -> Iterator[tuple[LabQuery, list[str]]]:
    """Each with the products that it reads; a query tells of what it reads, so it is shown to those alone who may read all of that."""
    for query in saved:
        read = list(dict.fromkeys([*([query.product] if query.product else []), *named_products(shop.market.state, query.query)]))
        if set(read) <= readable:
            yield query, read


def _completed(tables: Iterable[LabTable], product: str) -> str:
    """What an editor completes, as JSON: tables by the names that a query may use, with their columns."""
    named = {f"{table.product.name}.{table.data_set}": table.columns for table in tables}
    return json.dumps(named | {table.data_set: table.columns for table in tables if table.product.name == product})


def readable_tables(view: MeshOverview) -> tuple[LabTable, ...]:
    """The tables that the reader may query now, by product."""
    return tuple(table for product in view.plan.products for table in _tables(view, product))


def _tables(view: MeshOverview, product: ProductPlan) -> Iterable[LabTable]:
    standing = view.reading.standing(product)
    if view.health[product.name].published is None:
        return
    for data_set in product.data_sets:
        seen = view.reading.view(product, data_set.name)
        if standing.sees == "all":
            yield LabTable(product, data_set.name, tuple(column.name for column in data_set.spec.columns))
        elif seen is not None:
            yield LabTable(product, data_set.name, tuple(column.name for column in seen.columns))
