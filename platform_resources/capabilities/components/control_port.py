"""The component type `control-port`."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, model_validator

from platform_resources.capabilities.protocols import WithoutVariants
from platform_resources.capabilities.registry import installed_registry
from platform_resources.spec.problems import unknown_text
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.channel_urls import url_problem, written_secrets
from platform_resources.spec.values.field_types import Duration, Text

# What a sink of events gets: no document of the product, but what happens to it.
EVENTS = "openlineage"
# The format that each kind gets where nothing is said.
_USUAL = {"slo-registry": "openslo", "event-sink": EVENTS}


class ControlPort(Strict):
    """Where the platform registers the product: what kind of place that is, in which format it is told, and its address or file.

    `headers` go with each request; `${NAME}` in them stands for a variable of the environment. `settings` are those of the format.
    """

    kind: Literal["catalog", "slo-registry", "event-sink"]
    format: Text | None = Field(default=None)
    url: Text | None = None
    file: Text | None = None
    headers: Mapping[Text, Text] = {}
    within: Duration = timedelta(seconds=10)
    settings: Mapping[str, Any] = {}
    description: str = ""

    @model_validator(mode="after")
    def _is_complete(self) -> "ControlPort":
        if (self.url is None) == (self.file is None):
            raise ValueError("write either url: https://… or file: …, which is a path below registered/ in the folder of the mesh's state")
        if self.url is not None and not self.url.startswith(("http://", "https://")):
            raise ValueError("url begins with http:// or https://")
        if self.url is not None and (problem := url_problem(self.url)) is not None:
            raise ValueError(f"{problem[0]}; write one such as https://catalog.example.com/products, with ${{NAME}} for what is secret")
        if written := written_secrets(self.headers):
            raise ValueError(f"{', '.join(written)} would be a secret that everybody reads; write ${{NAME}} and set it in the environment")
        if self.file is not None and (self.file.startswith("/") or ".." in self.file.split("/") or not self.file.isprintable()):
            raise ValueError("file is a path below registered/ in the folder of the mesh's state, such as catalog/orders.json")
        if self.file is not None and self.headers:
            raise ValueError("headers go with a url; take them away")
        known = sorted(installed_registry().exports())
        if self.told_in not in (*known, EVENTS):
            hint = f"which is what {self.kind} gets" if self.format is None else "`mesh capabilities` lists them under exports"
            raise ValueError(f"{unknown_text('format', self.told_in or 'none', [*known, EVENTS])}; {hint}")
        if self.told_in == EVENTS and self.kind != "event-sink":
            raise ValueError(f"{EVENTS} is made of events; write kind: event-sink")
        return self

    @property
    def told_in(self) -> str:
        """The format that it gets."""
        return self.format or _USUAL.get(self.kind, "")

    @property
    def place(self) -> str:
        """Where it is, for people; its headers are not told."""
        return self.url or self.file or ""


class ControlPortComponent(WithoutVariants):
    """Where the platform registers the product by itself: a catalog, a registry of SLOs, or a sink of events.

    What a catalog or a registry gets is sent after a version or a contract is published, and again until it is taken; an event sink with
    the format `openlineage` gets the start and the end of each refresh.
    """

    name = "control-port"
    config = ControlPort
    example = """
- name: Company catalog
  type: control-port
  properties:
    kind: catalog
    format: dprod
    url: https://catalog.example.com/products
    headers: {Authorization: "Bearer ${CATALOG_TOKEN}"}
- name: Promises
  type: control-port
  properties: {kind: slo-registry, file: slos/orders.openslo.yaml}
- name: Lineage
  type: control-port
  properties: {kind: event-sink, url: "https://lineage.example.com/api/v1/lineage"}
"""


CAPABILITY = ControlPortComponent()
