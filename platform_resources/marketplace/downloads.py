"""Downloads of published files: versions can be pinned, interrupted downloads resumed, and each is counted."""

from dataclasses import replace
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Receive, Scope, Send

from platform_resources.access.grants import KnownGrants
from platform_resources.capabilities.protocols import ExportEvidence
from platform_resources.capabilities.registry import installed_registry
from platform_resources.ledger.people.grant_store import grants_of_reader
from platform_resources.ledger.queries.reads import record_read
from platform_resources.marketplace.api.mesh_answers import PartOfNoVersionData, RefusalData, SeveralFilesData
from platform_resources.marketplace.people.bearers import needs, token_of
from platform_resources.marketplace.shop import Missing, NotGranted, Shop, product_named
from platform_resources.publications.consumer_queries import SeenPort, everything
from platform_resources.services.access.reader_views import ReaderView
from platform_resources.services.access.tokens import within
from platform_resources.services.showing.published_files import PublishedFile, published_files
from platform_resources.services.standards.exported_products import CannotExport, evidence, export
from platform_resources.warehouses.engine_errors import QueryFailed

MOST_RANGES = 5
FILES = "/api/v1/products/"
UNCHANGING = "private, max-age=31536000, immutable"
TYPES = {".parquet": "application/vnd.apache.parquet", ".csv": "text/csv; charset=utf-8", ".json": "application/x-ndjson"}


class Large(FileResponse):
    """A response for large files, sent in fewer and larger chunks."""

    chunk_size = 1024 * 1024
    max_ranges = MOST_RANGES


class Compressed(GZipMiddleware):
    """Compresses pages and JSON but not files, so that byte ranges refer to the file."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        is_file = (path.startswith(FILES) and "/files/" in path) or path.endswith("/records")
        if is_file:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def download_routes(shop: Shop) -> APIRouter:
    """The routes of files."""
    router = APIRouter(prefix="/api/v1/products/{name}/ports/{port}", tags=["files"], dependencies=[Depends(needs("data"))])

    @router.get(
        "/file",
        response_class=RedirectResponse,
        status_code=302,
        responses={404: {"model": RefusalData}, 409: {"model": SeveralFilesData}, 412: {"model": PartOfNoVersionData}},
        summary="Leads to the file of the newest version, or of the one named",
    )
    @router.head("/file", include_in_schema=False)
    def file(request: Request, name: str, port: str, version: str = "") -> Response:
        """Leads to the file of the newest version, or of the one that is named. Goes on with a download only where a version is named."""
        if request.headers.get("range") and not version:
            problem = "to load a part, add ?version=, as a newer version may be published meanwhile; or load the file from its beginning"
            return JSONResponse({"error": problem, "versions": [_published(shop, request, name, port)[0].version]}, 412)
        files = _published(shop, request, name, port, version)
        if len(files) > 1:
            return JSONResponse({"error": "the port has several files", "files": [_address(name, port, file) for file in files]}, 409)
        return RedirectResponse(_address(name, port, files[0]), 302, {"cache-control": "no-store"})

    @router.get(
        "/versions/{version}/files/{file_name}",
        response_class=Response,
        responses={404: {"model": RefusalData}},
        summary="A file of one version, or a part of it",
    )
    @router.head("/versions/{version}/files/{file_name}", include_in_schema=False)
    def versioned(request: Request, name: str, port: str, version: str, file_name: str) -> Response:
        """A file of one version, which never changes: its ETag is the version's, and parts of it can be asked for."""
        one = next((published for published in _published(shop, request, name, port, version) if published.name == file_name), None)
        if one is None:
            raise Missing(f"That version of {port} has no file “{file_name}”.")
        tag = f'"{one.version}/{port}/{one.view}/{one.name}"'
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"etag": tag})
        try:
            seen = one.path.stat()
        except FileNotFoundError:
            raise Missing(_gone(name, version)) from None
        if begins_here(request):
            count(shop, request, name, port, "download")
        # Another reader of the same browser may see less at the same address.
        headers = {"etag": tag, "cache-control": UNCHANGING if shop.kept.who(request.scope) is None else "private, no-cache"}
        media = TYPES.get(one.path.suffix, "application/octet-stream")
        return Large(one.path, headers=headers, media_type=media, filename=one.name, stat_result=seen)

    return router


def export_routes(shop: Shop) -> APIRouter:
    """The routes of products as documents of other standards."""
    router = APIRouter(prefix="/api/v1/products/{name}/exports", tags=["files"], dependencies=[Depends(needs("metadata"))])

    @router.get(
        "/{form}",
        response_class=Response,
        responses={400: {"model": RefusalData}, 403: {"model": RefusalData}, 404: {"model": RefusalData}},
        summary="The product as a document of another standard or tool, in a version of that standard",
    )
    def exported(request: Request, name: str, form: str, version: str = "") -> Response:
        """Made from the product.yaml, which may quote values and name who has which role: for those who see the whole product."""
        view = shop.view(request)
        product = product_named(view, name)
        if not view.sees_all(name):
            owner = product.owners[0] if product.owners else "its owner"
            raise NotGranted(f"the documents of {name} hold all that its owner declares; ask {owner} for them")
        if form not in installed_registry().exports():
            raise Missing(f"There is no format “{form}”.", f"There are {', '.join(installed_registry().exports())}.")

        def seen() -> ExportEvidence:
            with shop.market.ledger.reading() as connection:
                everything_seen = evidence(connection, view.plan, shop.market.lineage(view), product, datetime.now(UTC))
            if shop.auth.officers.may_decide_on_grants(view.reader, product.owners):
                return everything_seen
            return replace(everything_seen, agreed=None)

        try:
            file = export(shop.market.root, product, form, {"version": version} if version else {}, seen)
        except CannotExport as error:
            return JSONResponse({"error": str(error), "hint": None}, 400)
        named = {"content-disposition": f'attachment; filename="{file.name}"', "cache-control": "private, no-cache"}
        return Response(file.text, media_type=file.media_type, headers=named)

    return router


def _published(shop: Shop, request: Request, name: str, port: str, version: str = "") -> tuple[PublishedFile, ...]:
    """The files of a port's version as the reader may see them, the newest unless told. Raises Missing where there are none, NotGranted.

    Grants are read anew: what was revoked a moment ago is not sent any more.
    """
    view = shop.view(request)
    product = product_named(view, name)
    if port not in [output.name for output in product.outputs]:
        raise Missing(f"{name} has no output port “{port}”.", f"It has {', '.join(output.name for output in product.outputs)}.")
    try:
        files = published_files(shop.market.state, product, port, version, seen_ports(shop, request))
    except QueryFailed as error:
        raise NotGranted(str(error)) from error
    if not files:
        raise Missing(_gone(name, version) if version else f"{name} has published nothing yet.")
    return files


def seen_ports(shop: Shop, request: Request) -> SeenPort:
    """How the request's sender sees each port, by the current grants and the scope of their token. Raises LedgerUnavailable."""
    view, token = shop.view(request), token_of(request.scope)
    if view.reader is None:
        return within(token, everything)
    reader = view.reader
    # While the ledger does not answer nobody can take a grant away; those that end by themselves do.
    known = shop.market.patient.said(lambda connection: KnownGrants(grants_of_reader(connection, reader)), view.grants)
    return within(token, ReaderView(view.plan, known, datetime.now(UTC), reader).port)


def _gone(name: str, version: str) -> str:
    return f"There is no version {version} of {name} any more."


def _address(name: str, port: str, file: PublishedFile) -> str:
    return f"/api/v1/products/{name}/ports/{port}/versions/{file.version}/files/{file.name}"


def begins_here(request: Request) -> bool:
    """Whether a download begins: resumed parts and HEAD requests are not counted again."""
    part = request.headers.get("range", "").replace(" ", "").lower()
    return request.method == "GET" and (not part or part.startswith("bytes=0-"))


def count(shop: Shop, request: Request, product: str, port: str, kind: str) -> None:
    """Count a read, for the owners' usage figures."""
    who, at = shop.reads_as(request), datetime.now(UTC)
    shop.market.patient.note(lambda connection: record_read(connection, product, port, who, at, kind))
