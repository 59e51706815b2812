"""What all pages of one mesh share: its view, its templates, and who reads."""

import getpass
from dataclasses import dataclass
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment

from platform_resources.marketplace.display.phrases import PageTimes
from platform_resources.marketplace.display.rendering import rendered
from platform_resources.marketplace.home_page import page_zone
from platform_resources.marketplace.kept_view import Market
from platform_resources.marketplace.security import FormToken
from platform_resources.plan.plan import ProductPlan
from platform_resources.services.showing.mesh_overview import MeshOverview
from platform_resources.spec.problems import did_you_mean


class Missing(Exception):
    """Raised where an address names something that there is not; the message says what, `hint` what may be meant."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Shop:
    """What all pages share."""

    market: Market
    templates: Environment
    token: FormToken
    reader: str

    def page(self, name: str, view: MeshOverview, context: dict[str, Any], status: int = 200) -> HTMLResponse:
        """A page of the template `name`."""
        whole = {
            "times": PageTimes(view.at, page_zone(view)),
            "reader": self.reader,
            "lacks": view.age.lacks,
            "history": view.made_up,
            "token": self.token.value,
        }
        return HTMLResponse(rendered(self.templates, name, whole | context), status, {"cache-control": "no-cache"})


def product_named(view: MeshOverview, name: str) -> ProductPlan:
    """Raises Missing, with what may be meant."""
    found = {each.name: each for each in view.plan.products}
    if name not in found:
        raise Missing(f"There is no product “{name}” in this mesh.", did_you_mean(name, found) or "")
    return found[name]


def local_reader() -> str:
    """Whoever is at this computer; in a container there may be no name for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unnamed"
