"""The pages on which somebody begins a product: what it is made of, what is guessed of it, its first version, and the patch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile

from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.marketplace.home_page import page_zone
from platform_resources.marketplace.lab.lab_queries import LabQueue, QueryTooMany
from platform_resources.marketplace.shop import Missing, NotGranted, Shop
from platform_resources.plan import conventions
from platform_resources.plan.plan import DomainPlan
from platform_resources.repository.mesh_repository import read_mesh
from platform_resources.scaffolding.patches import new_files_patch
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.services.starting.corrections import ColumnWish, Wishes
from platform_resources.services.starting.draft_process import Draft, draft_answer
from platform_resources.services.starting.kept_drafts import ENDINGS, LARGEST_UPLOAD, forget, keep, kept
from platform_resources.services.starting.new_inputs import AskedSource, said_fields
from platform_resources.services.starting.new_meshes import CannotBegin
from platform_resources.services.starting.new_products import product_name
from platform_resources.spec.values.type_names import SIMPLE_TYPES

Fields = Mapping[str, str]
PAGE = "/new"
MOST_COLUMNS = 300


def new_product_routes(shop: Shop, queue: LabQueue) -> APIRouter:
    """For owners of a domain and those who run the platform. Nothing here changes the mesh: a patch is what comes out."""
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    @router.get(PAGE)
    def begin(request: Request) -> Response:
        return _begin_page(shop, request)

    @router.post(PAGE)
    async def begun(request: Request) -> Response:
        _domains(shop, shop.view(request))
        async with request.form(max_files=1, max_fields=10) as form:
            shop.token.check(str(form.get("token", "")), shop.reads_as(request))
            upload = form.get("file")
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
            return await run_in_threadpool(_begun, shop, request, fields, upload if isinstance(upload, UploadFile) else None)

    @router.get(f"{PAGE}/{{draft}}")
    def look(request: Request, draft: str) -> Response:
        return _draft_page(shop, queue, request, draft, {})

    @router.post(f"{PAGE}/{{draft}}")
    async def correct(request: Request, draft: str) -> Response:
        fields = await shop.fields(request, most=6 * MOST_COLUMNS)
        return await run_in_threadpool(_draft_page, shop, queue, request, draft, fields)

    return router


def _domains(shop: Shop, view: MeshOverview) -> tuple[DomainPlan, ...]:
    """Those in which the reader may begin a product. Raises NotGranted where there is none."""
    known = shop.market.view().plan.domains
    own = tuple(domain for domain in known if not {"owner", "platform"}.isdisjoint(shop.auth.officers.roles(view.reader, domain.owners)))
    if not own:
        raise NotGranted("a new product is begun by owners of its domain, and by those who run the platform; ask one of them")
    return own


def _begin_page(shop: Shop, request: Request, refused: str = "", typed: Fields | None = None) -> Response:
    view = shop.view(request)
    page = {
        "page": "new",
        "times": PageTimes(view.at, page_zone(view)),
        "domains": _domains(shop, view),
        "sources": tuple(_sources(shop, view)),
        "endings": ",".join(ENDINGS),
        "megabytes": LARGEST_UPLOAD // 2**20,
        "refused": refused,
        "typed": typed or {},
    }
    return shop.page("new.html", view, page, 422 if refused else 200)


def _sources(shop: Shop, view: MeshOverview) -> Iterator[str]:
    """`domain/source` of what the reader's domains declare."""
    readings = read_mesh(shop.market.root, only=()).domains
    for domain in _domains(shop, view):
        if domain.name in readings:
            yield from (f"{domain.name}/{name}" for name in readings[domain.name].domain.sources)


def _begun(shop: Shop, request: Request, fields: Fields, upload: UploadFile | None) -> Response:
    source, table, has_file = fields.get("source", ""), fields.get("table", "").strip(), upload is not None and bool(upload.filename)
    domain, _, declared = source.partition("/") if source else (fields.get("domain", ""), "", "")
    try:
        if domain not in {own.name for own in _domains(shop, shop.view(request))}:
            raise CannotBegin("choose a domain that is yours")
        if has_file == bool(declared):
            raise CannotBegin("choose either a file or a source")
        asked = AskedSource(str(upload.filename) if upload is not None and has_file else declared, table)
        name = fields.get("name", "").strip() or product_name(asked)
        said = fields.get("fields", "").strip()
        said_fields(said.splitlines())
        draft = Draft(domain, name, source=declared, table=table, fields=said)
        made = keep(
            shop.market.state, shop.reads_as(request), draft, upload.file if upload is not None and has_file else None, asked.source
        )
    except CannotBegin as error:
        return _begin_page(shop, request, str(error), fields)
    return RedirectResponse(f"{PAGE}/{made}", 303)


def _draft_page(shop: Shop, queue: LabQueue, request: Request, number: str, fields: Fields) -> Response:
    """The page of a draft as its form has it, or what the form asks for."""
    view, who, state = shop.view(request), shop.reads_as(request), shop.market.state
    draft = kept(state, who, number)
    if draft is None or draft.domain not in {domain.name for domain in _domains(shop, view)}:
        raise Missing("You have no such draft. One is kept for seven days, and of many the newest.")
    do = fields.get("do", "")
    if do == "forget":
        forget(state, who, number)
        return RedirectResponse(PAGE, 303)
    wishes = _wishes(fields) if fields else None
    try:
        with queue.place(f"new product of {who}"):
            answer, refused = _answered(shop, draft, wishes, preview=do == "preview")
    except QueryTooMany as error:
        answer, refused = None, str(error)
    if do == "patch" and answer is not None and not refused:
        return _patch(draft, answer)
    written = answer["wishes"]["columns"] if answer is not None else ()
    page = {
        "page": "new",
        "times": PageTimes(view.at, page_zone(view)),
        "draft": draft,
        "number": number,
        "refused": refused,
        "answer": answer,
        "types": list(dict.fromkeys([*SIMPLE_TYPES, *(column["type"] for column in written)])),
    }
    return shop.page("new_draft.html", view, page, 422 if refused else 200)


def _answered(shop: Shop, draft: Draft, wishes: Wishes | None, preview: bool) -> tuple[dict[str, Any] | None, str]:
    """What comes of the wishes; where that is nothing, why, beside the guesses and what was wished for."""
    try:
        return draft_answer(shop.market.root, draft, wishes, preview), ""
    except CannotBegin as error:
        answer = _answered(shop, draft, None, preview=False)[0] if wishes is not None else None
        if answer is not None and wishes is not None and len(wishes.columns) == len(answer["columns"]):
            answer |= {"wishes": asdict(wishes)}
        return answer, str(error)


def _wishes(fields: Fields) -> Wishes:
    """What the form says; what it does not say is not ticked."""
    columns: list[ColumnWish] = []
    while len(columns) < MOST_COLUMNS and f"name-{len(columns)}" in fields:
        at = len(columns)
        name, kind, classification = (fields.get(f"{what}-{at}", "") for what in ("name", "type", "class"))
        columns.append(ColumnWish(name, kind, classification, f"key-{at}" in fields))
    left_out = {value for name, value in fields.items() if name.startswith("promise-") and f"wanted-{name[8:]}" not in fields}
    return Wishes(fields.get("title", ""), fields.get("description", ""), tuple(columns), _updated(fields, columns), frozenset(left_out))


def _updated(fields: Fields, columns: Sequence[ColumnWish]) -> str:
    """By its number, as the column may get another name in the same form."""
    at = fields.get("updated_at", "")
    return columns[int(at)].name if at.isascii() and at.isdigit() and int(at) < len(columns) else ""


def _patch(draft: Draft, answer: Mapping[str, Any]) -> Response:
    """Without the uploaded file where any column is hidden: a repository is no place for data of people."""
    files: dict[str, str | bytes] = dict(answer["files"])
    if draft.file and not answer["hidden"]:
        with open(draft.file, "rb") as file:
            files[f"{conventions.PRODUCTS_FOLDER}/{draft.domain}/{draft.name}/{draft.path}"] = file.read()
    headers = {"content-disposition": f'attachment; filename="{draft.name}.patch"', "cache-control": "private, no-store"}
    return PlainTextResponse(new_files_patch(files), headers=headers)
