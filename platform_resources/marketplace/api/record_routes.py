"""API routes for the records of a port: filtered, sorted, in pages of one version, as JSON, CSV or Arrow."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from platform_resources.marketplace.api.mesh_answers import RefusalData
from platform_resources.marketplace.api.version_answers import RecordsData
from platform_resources.marketplace.downloads import count, seen_ports
from platform_resources.marketplace.lab.lab_queries import LabQueue, QueryRefused, QueryTooMany, place_of, written_file
from platform_resources.marketplace.lab.sent_results import MEDIA, sent_file
from platform_resources.marketplace.people.bearers import needs
from platform_resources.marketplace.shop import Missing, NotGranted, Shop, product_named
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.consumer_queries import NothingPublished, published_version
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.record_pages import (
    MOST_FILTERS,
    MOST_ORDERS,
    RecordsAsked,
    RecordsWrong,
    cursor_of,
    filter_of,
    next_cursor,
    page_sql,
)
from platform_resources.publications.version_records import PortVersion
from platform_resources.spec.problems import did_you_mean
from platform_resources.warehouses.engine_errors import QueryFailed
from platform_resources.warehouses.written_results import WantedResult, WrittenResult

RecordForm = Literal["json", "ndjson", "csv", "arrow", "parquet"]
USUAL_ROWS, MOST_JSON, MOST_ROWS = 100, 10_000, 1_000_000
# Other forms are sent from the disk; a page of JSON is made in memory.
LARGEST_JSON = 64 * 2**20
# A program that reads pages one after the other never waits; several at a time wait for each other.
OWN_WAIT_SECONDS = 10.0
BY_MEDIA: Mapping[str, RecordForm] = {media.partition(";")[0]: form for form, media in MEDIA.items()}


def record_routes(shop: Shop, queue: LabQueue) -> APIRouter:
    """One address for each port, whatever interface it has."""
    router = APIRouter(prefix="/api/v1/ports/{domain}/{name}/{port}", tags=["records"], dependencies=[Depends(needs("data"))])
    content: dict[str, Any] = {media: {} for media in ("application/json", *BY_MEDIA)}

    @router.get(
        "/records",
        response_class=Response,
        responses={200: {"model": RecordsData, "content": content}, "4XX": {"model": RefusalData}},
        summary="The records of a port, filtered, sorted and in pages of one version",
    )
    def records(
        request: Request,
        domain: str,
        name: str,
        port: str,
        columns: Annotated[str, Query(description="names, parted by commas; all where none is named", max_length=20_000)] = "",
        where: Annotated[
            list[str] | None,
            Query(description="COLUMN:OPERATOR:VALUE; eq, ne, lt, le, gt, ge, in, like, null; repeatable", max_length=MOST_FILTERS),
        ] = None,
        sort: Annotated[str, Query(description="columns, parted by commas; a minus before those that come down", max_length=5_000)] = "",
        limit: Annotated[
            int | None, Query(ge=1, le=MOST_ROWS, description="rows of a page; in other forms than JSON all where it is not said")
        ] = None,
        after: Annotated[str, Query(description="the cursor behind the page before")] = "",
        version: Annotated[str, Query(description="a version that is kept; the newest where none is named")] = "",
        format: Annotated[RecordForm | None, Query(description="as which; else as `Accept` says")] = None,
    ) -> Response:
        form = format or _accepted(request)
        try:
            asked = _asked(columns, where or (), sort, min(limit or USUAL_ROWS, MOST_JSON) if form == "json" else limit, after, version)
            begun = asked.after.version if asked.after is not None else version
            read = _read(shop, request, product_in(shop, request, domain, name), port, begun, asked)
            return _answer(shop, queue, request, read, form)
        except RecordsWrong as error:
            return JSONResponse({"error": str(error), "hint": None}, 400)
        except QueryTooMany as error:
            return JSONResponse({"error": str(error), "hint": None}, 429, {"retry-after": "5"})
        except QueryRefused as error:
            seen_version(shop, request, product_in(shop, request, domain, name), port, begun)  # which may be gone since then
            return JSONResponse({"error": str(error), "hint": None}, 422)

    return router


@dataclass(frozen=True, slots=True)
class _Read:
    """A port in one version as the reader sees it, and the request for its records."""

    product: ProductPlan
    port: PortVersion
    version: str
    asked: RecordsAsked
    sql: str
    hidden: int


def _asked(columns: str, where: Sequence[str], sort: str, limit: int | None, after: str, version: str) -> RecordsAsked:
    """The parameters of an address. Raises RecordsWrong, also for a cursor of another request."""
    cursor = cursor_of(after) if after else None
    order = tuple(filter(None, sort.split(",")))[: MOST_ORDERS + 1]
    asked = RecordsAsked(tuple(filter(None, columns.split(","))), tuple(map(filter_of, where)), order, limit, cursor)
    if len(order) > MOST_ORDERS:
        raise RecordsWrong(f"at most {MOST_ORDERS} columns to sort by")
    if cursor is not None and (cursor.asked != asked.digest or version not in ("", cursor.version) or limit is None):
        raise RecordsWrong("`after` goes on with the same columns, where, sort and version as the page before, and with a limit")
    return asked


def _accepted(request: Request) -> RecordForm:
    wanted = (part.partition(";")[0].strip() for part in request.headers.get("accept", "").split(","))
    return next((BY_MEDIA[media] for media in wanted if media in BY_MEDIA), "json")


def product_in(shop: Shop, request: Request, domain: str, name: str) -> ProductPlan:
    """The product of this domain. Raises Missing."""
    product = product_named(shop.view(request), name)
    if product.domain != domain:
        raise Missing(f"{name} is a product of domain {product.domain}, not of {domain}.")
    if product.offers.retired is not None:
        raise Missing(f"{name} {product.offers.retired}.", "What was published is gone; there is nothing to go on with.")
    return product


def seen_version(shop: Shop, request: Request, product: ProductPlan, port: str, version: str) -> tuple[str, PortVersion, PortVersion]:
    """A port in one version, the newest where none is named: the version's id, all of the port, and what the reader sees of it.

    Raises Missing, NotGranted.
    """
    ports = [port.name for port in product.outputs]
    if port not in ports:
        raise Missing(f"{product.name} has no output port “{port}”.", did_you_mean(port, ports) or f"It has {', '.join(ports)}.")
    try:
        publication = published_version(shop.market.state, product.domain, product.name, version or None)
    except NothingPublished as error:
        raise Missing(f"{str(error).partition(';')[0]}.", "A version is kept for as long as its product says; begin anew.") from error
    of_port = publication.port(port)
    if of_port is None:
        raise Missing(f"Version {publication.id} of {product.name} has no port “{port}”.")
    try:
        seen = seen_ports(shop, request)(product.name, of_port, publication.id)
    except QueryFailed as error:
        raise NotGranted(str(error)) from error
    if seen is None:
        raise NotGranted(f"no column of port {port} of {product.name} is shown to you, or your token is for another port")
    return publication.id, of_port, seen


def key_of(product: ProductPlan, port: PortVersion) -> tuple[str, ...]:
    """The key of its rows; empty where the product has the data set no more, of which there are versions still."""
    return next((tuple(known.spec.primary_key) for known in product.data_sets if known.name == port.data_set), ())


def _read(shop: Shop, request: Request, product: ProductPlan, port: str, version: str, asked: RecordsAsked) -> _Read:
    """Raises Missing, NotGranted, RecordsWrong. Grants are read anew, at each page."""
    identity, _, seen = seen_version(shop, request, product, port, version)
    sql, hidden = page_sql(port, seen.columns, key_of(product, seen), asked)
    return _Read(product, seen, identity, asked, sql, hidden)


def _answer(shop: Shop, queue: LabQueue, request: Request, read: _Read, form: RecordForm) -> Response:
    """One page of records in the requested form, with the cursor of the next page."""
    tag = hashlib.blake2b(repr((read.port.files, read.sql, form)).encode(), digest_size=12).hexdigest()
    headers = {"etag": f'"{read.version}/{tag}"', "cache-control": "private, no-cache", "mesh-version": read.version, "vary": "accept"}
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    who = shop.reads_as(request)
    place = shelf(shop.market.state, read.product.domain, read.product.name).where(read.port)
    wanted = WantedResult("ndjson" if form == "json" else form, read.hidden, is_ours=True)
    with place_of(queue, who, OWN_WAIT_SECONDS) as bounds:
        file, written = written_file(shop, queue, read.product.name, read.sql, {"main": {read.port.port: place}}, wanted, bounds)
    if read.asked.after is None:
        count(shop, request, read.product.name, read.port.port, "records")
    following = _next(read, written)
    address = _next_address(request, following) if following else None
    if address:
        headers["link"] = f'<{address}>; rel="next"'
        headers["mesh-next"] = following
    if form == "json":
        if os.fstat(file.fileno()).st_size > LARGEST_JSON:
            file.close()
            raise QueryRefused(
                f"the page is larger than {LARGEST_JSON // 2**20} MiB; take a smaller limit, or another form, such as ndjson"
            )
        return JSONResponse(_data(file, read, following, address), headers=headers)
    return sent_file(file, wanted.form, headers)


def _next(read: _Read, written: WrittenResult) -> str:
    """The cursor behind the page; empty where there is nothing behind it, as far as is known."""
    if read.asked.limit is None or written.rows < read.asked.limit:
        return ""
    return next_cursor(read.version, read.asked, written.last, written.equal, written.rows).text


def _next_address(request: Request, cursor: str) -> str:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "after"]
    return f"{request.url.path}?{urlencode([*kept, ('after', cursor)])}"


def _data(file: BinaryIO, read: _Read, following: str, address: str | None) -> dict[str, Any]:
    with file:
        file.seek(0)
        rows = [json.loads(line) for line in file]
    shown = read.asked.columns or tuple(read.port.columns)
    origin = {"product": read.product.name, "port": read.port.port, "version": read.version}
    return {
        **origin,
        "columns": {name: read.port.columns[name] for name in shown},
        "rows": rows,
        "next": following or None,
        "next_page": address,
    }
