"""Changes of a port from version to version, by key: a consumer that takes all of them has the newest version."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from platform_resources.marketplace.api.mesh_answers import RefusalData
from platform_resources.marketplace.api.record_routes import LARGEST_JSON, MOST_JSON, OWN_WAIT_SECONDS, key_of, product_in, seen_version
from platform_resources.marketplace.api.version_answers import ChangesData
from platform_resources.marketplace.downloads import count
from platform_resources.marketplace.lab.lab_queries import LabQueue, QueryRefused, QueryTooMany, place_of, written_file
from platform_resources.marketplace.people.bearers import needs
from platform_resources.marketplace.shop import NotGranted, Shop
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.port_changes import (
    AFTER,
    BEFORE,
    BeginAnew,
    ChangeCursor,
    change_cursor,
    change_of,
    changes_sql,
    duplicates_sql,
    seen_digest,
)
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.record_pages import RecordsWrong
from platform_resources.publications.version_records import PortVersion
from platform_resources.warehouses.written_results import WantedResult

USUAL_CHANGES = 1_000
SEEN_OTHERWISE = "what you may see of this port has changed"
KEY_OTHERWISE = "the key of this port has changed"


def change_routes(shop: Shop, queue: LabQueue) -> APIRouter:
    """One address for each port, whatever interface it has."""
    router = APIRouter(prefix="/api/v1/ports/{domain}/{name}/{port}", tags=["records"], dependencies=[Depends(needs("data"))])

    @router.get(
        "/changes",
        response_class=Response,
        responses={200: {"model": ChangesData}, "4XX": {"model": RefusalData}},
        summary="What was inserted, updated and deleted between versions of a port, by its key",
    )
    def changes(
        request: Request,
        domain: str,
        name: str,
        port: str,
        after: Annotated[str, Query(description="`next` of the answer before; every row of the newest version where it is not said")] = "",
        limit: Annotated[int, Query(ge=1, le=MOST_JSON, description="changes of an answer at most")] = USUAL_CHANGES,
    ) -> Response:
        try:
            product = product_in(shop, request, domain, name)
            return JSONResponse(_changes(shop, queue, request, product, port, change_cursor(after), limit))
        except RecordsWrong as error:
            return JSONResponse({"error": str(error), "hint": None}, 400)
        except BeginAnew as error:
            return JSONResponse({"error": str(error), "hint": "Begin anew, without `after`: the answers then have every row."}, 410)
        except QueryTooMany as error:
            return JSONResponse({"error": str(error), "hint": None}, 429, {"retry-after": "5"})
        except QueryRefused as error:
            return JSONResponse({"error": str(error), "hint": None}, 422)

    return router


def _changes(
    shop: Shop, queue: LabQueue, request: Request, product: ProductPlan, port: str, cursor: ChangeCursor, limit: int
) -> dict[str, Any]:
    """Grants are read anew for each answer. Raises Missing, NotGranted, BeginAnew, RecordsWrong, QueryTooMany, QueryRefused."""
    until, newest = _versions(shop, product, port, cursor)
    seen_newest = seen_version(shop, request, product, port, newest)
    try:
        until, whole, after = seen_newest if until == newest else seen_version(shop, request, product, port, until)
        before = seen_version(shop, request, product, port, cursor.since) if cursor.since else None
    except NotGranted as error:  # of the newest version something is shown
        raise BeginAnew(SEEN_OTHERWISE) from error
    since, key = None, key_of(product, after)
    key = cursor.key if set(cursor.key) == set(key) else key  # in another order it is the same key
    if cursor.key not in ((), key):
        raise BeginAnew(KEY_OTHERWISE)
    if before is not None:
        _, of_port, since = before
        if seen_digest(of_port, since) != cursor.seen_since:
            raise BeginAnew(SEEN_OTHERWISE)
        if any(since.columns.get(name) != after.columns.get(name) for name in key):
            raise BeginAnew(KEY_OTHERWISE)
    if not key or not set(key) <= after.columns.keys():
        why = f"the key of {port}, {', '.join(key)}, is not shown to you" if key else f"the data set of {port} has no primary_key"
        raise RecordsWrong(f"{why}, so changes cannot be told; read its records")
    seen_until = seen_digest(whole, after)
    if cursor.until and seen_until != cursor.seen_until:
        raise BeginAnew(SEEN_OTHERWISE)
    pair = _Pair(product, key, since, after)
    rows = pair.rows(shop, queue, request, cursor.given, limit) if until != cursor.since else []
    is_whole = len(rows) < limit
    behind = replace(cursor, until=until, seen_until=seen_until, given=cursor.given + limit, key=key)
    following = ChangeCursor(until, seen_until, key=key) if is_whole else behind
    if not cursor.given:
        count(shop, request, product.name, port, "changes")
    return {
        "product": product.name,
        "port": port,
        "since": cursor.since or None,
        "until": until,
        "key": list(key),
        "columns": dict(after.columns),
        "changes": [change_of(row, key) for row in rows],
        "next": following.text,
        "is_newest": is_whole and until == newest,
    }


def _versions(shop: Shop, product: ProductPlan, port: str, cursor: ChangeCursor) -> tuple[str, str]:
    """The version to go on to, and the newest; empty where the port was never published. Raises BeginAnew."""
    published = shelf(shop.market.state, product.domain, product.name).published()
    ids = [version.id for version in published if version.port(port) is not None]
    gone = [version for version in (cursor.since, cursor.until) if version and version not in ids]
    if gone:
        raise BeginAnew(f"version {gone[0]} is not kept any more")
    newest = ids[-1] if ids else ""
    following = ids[ids.index(cursor.since) + 1 :] if cursor.since else [newest]
    return cursor.until or (following[0] if following else newest), newest


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two versions of a port as the reader sees them; nothing before the first."""

    product: ProductPlan
    key: Sequence[str]
    before: PortVersion | None
    after: PortVersion

    def rows(self, shop: Shop, queue: LabQueue, request: Request, given: int, limit: int) -> list[dict[str, Any]]:
        """So many of the changes, behind those that were given. Raises RecordsWrong, QueryTooMany, QueryRefused."""
        shelves = shelf(shop.market.state, self.product.domain, self.product.name)
        places = {name: shelves.where(port) for name, port in ((BEFORE, self.before), (AFTER, self.after)) if port is not None}
        before = self.before.columns if self.before is not None else None
        sql = changes_sql(before, self.after.columns, self.key, limit, given)
        wanted = WantedResult("ndjson", 0, is_ours=True)
        with place_of(queue, shop.reads_as(request), OWN_WAIT_SECONDS) as bounds:
            if not given:
                doubled = duplicates_sql(self.key)
                file, written = written_file(shop, queue, self.product.name, doubled, {"main": places}, wanted, bounds)
                file.close()
                if written.rows:
                    raise RecordsWrong(f"rows share the key {', '.join(self.key)}, as you see it, so changes cannot be told")
            file, _ = written_file(shop, queue, self.product.name, sql, {"main": places}, wanted, bounds)
        with file:
            if os.fstat(file.fileno()).st_size > LARGEST_JSON:
                raise QueryRefused(f"the answer is larger than {LARGEST_JSON // 2**20} MiB; take a smaller limit")
            file.seek(0)
            return [json.loads(line) for line in file]
