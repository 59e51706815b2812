"""What all pages share: the mesh's snapshot, templates, and the reader."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment

from platform_resources.access.reader_standing import Reader
from platform_resources.marketplace.display.json_text import json_data
from platform_resources.marketplace.display.lineage_pictures import drawn_with
from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.marketplace.display.rendering import rendered
from platform_resources.marketplace.home_page import page_zone
from platform_resources.marketplace.kept_pages import HTML, JSON, KeptPages, answer
from platform_resources.marketplace.kept_view import Market
from platform_resources.marketplace.people.auth_settings import AuthSettings
from platform_resources.marketplace.security import FormToken
from platform_resources.plan.plan import ProductPlan
from platform_resources.services.catalog.use_of_products import also_read
from platform_resources.services.showing.counted_reads import local_reader
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.spec.problems import did_you_mean, nearest


class Missing(Exception):
    """Raised if an address names something unknown; `hint` says what may be meant, and `href` leads there."""

    def __init__(self, what: str, hint: str = "", href: str = "") -> None:
        super().__init__(what)
        self.hint, self.href = hint, href


class NotGranted(Exception):
    """Raised if the reader may not see something; says why, and whom to ask."""


Answers = Callable[[Request, str], Response]
# Marks a request that nobody has sent, for a page that is made ahead.
AHEAD = "mesh.ahead"
FRESH = {"cache-control": "private, no-cache"}


@dataclass(frozen=True, slots=True)
class Shop:
    """The shared objects of all pages; `of_products` are the addresses that are made ahead for each product, `of_mesh` others that are."""

    market: Market
    templates: Environment
    token: FormToken
    kept: KeptPages
    auth: AuthSettings = field(default_factory=AuthSettings)
    of_products: dict[str, Answers] = field(default_factory=dict)
    of_mesh: dict[str, Answers] = field(default_factory=dict)

    def view(self, request: Request) -> MeshOverview:
        """The snapshot of the mesh as the request's sender may see it."""
        view = (AHEAD in request.scope and self.market.newest()) or self.market.view()
        return self.kept.seen(view, self.kept.who(request.scope))

    def reads_as(self, request: Request) -> str:
        """The name under which the request's sender is counted and acts."""
        return reads_as(self.kept.who(request.scope))

    async def fields(self, request: Request, most: int = 50) -> dict[str, str]:
        """The fields of a form, at most so many. Raises FormRefused if the form was not issued to its sender."""
        return self.token.fields(await request.body(), self.reads_as(request), most)

    def kept_page(self, request: Request, make: Callable[[MeshOverview], tuple[str, dict[str, Any]]], product: str = "") -> Response:
        """The cached page of the request's address, rendered if necessary. `product` is the only product it shows."""
        return self._kept(request, lambda view: self.html(view, *make(view)), HTML, product)

    def kept_answer(self, request: Request, make: Callable[[MeshOverview], Any], product: str = "") -> Response:
        """The same for JSON."""
        return self._kept(request, lambda view: json.dumps(json_data(make(view)), ensure_ascii=False, separators=(",", ":")), JSON, product)

    def _kept(self, request: Request, make: Callable[[MeshOverview], str], media: str, product: str) -> Response:
        view, where = self.view(request), self.kept.address(request.scope)
        ahead = AHEAD in request.scope
        page = None if ahead else self.kept.get(where, view)
        if page is None:
            with self.kept.making:
                page = None if ahead else self.kept.get(where, view)
                if page is None:
                    about = around(view, product) if product else None
                    page = self.kept.put(where, view, make(view), media, about)
        status, headers, body = answer(page, dict(request.scope["headers"]))
        return Response(body, status, headers)

    def html(self, view: MeshOverview, name: str, context: Mapping[str, Any]) -> str:
        """The page of the template `name` as text."""
        reader = reads_as(view.reader)
        shared = {
            "times": PageTimes(view.at, page_zone(view)),
            "reader": reader,
            "local": view.reader is None,
            "auth": self.auth.kind,
            "token": self.token.of(reader),
        }
        return rendered(self.templates, name, shared | {"lacks": self.lacks(view), "history": view.made_up} | dict(context))

    def lacks(self, view: MeshOverview) -> str:
        """What the pages do not know; empty if nothing."""
        since = self.market.patient.away_since
        if since is None:
            return view.age.lacks
        what = "This is what was known before; profiles, reviews and scores may be missing."
        return f"The ledger has not answered since {since:%H:%M} UTC. {what}"

    def page(self, name: str, view: MeshOverview, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """The page of the template `name`, not cached."""
        return HTMLResponse(self.html(view, name, context), status, FRESH)


def around(view: MeshOverview, name: str) -> set[str]:
    """All products on this product's page: itself, its lineage, similar ones, and others its readers use."""
    product = product_named(view, name)
    similar, read = view.likenesses.similar(product.name), also_read(view.use, product.name)
    return {product.name, *drawn_with(view, product), *(other.product for other in similar), *(other.product for other in read)}


def product_named(view: MeshOverview, name: str) -> ProductPlan:
    """The product of this name. Raises Missing, with suggestions."""
    known = view.plan.by_name
    name = name if name in known else view.plan.renamed.get(name, name)
    if name not in known:
        if any(rejected.name == name for rejected in view.plan.rejected):
            raise Missing(f"{name} is not loaded: its documents have problems.", f"mesh validate {name} shows them")
        near = nearest(name, known)
        raise Missing(f"There is no product “{name}” in this mesh.", did_you_mean(name, known), f"/products/{near}" if near else "")
    return known[name]


def reads_as(reader: Reader | None) -> str:
    """The reader's name; for this computer's user, their account name."""
    return reader.name if reader is not None else local_reader()
