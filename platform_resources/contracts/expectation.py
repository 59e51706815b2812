"""A promise that a consumer expects of a product beyond those that it makes, and what became of the proposal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Outcome = Literal["proposed", "accepted", "declined"]


@dataclass(frozen=True, slots=True)
class Expectation:
    """An objective that `person` expects of a product, what for, and how it came out when it was `tried`.

    `component` is what product.yaml would say of it.
    """

    name: str
    product: str
    title: str
    component: Mapping[str, Any]
    purpose: str
    person: str
    tried: str
    since: datetime
    outcome: Outcome = "proposed"
    why: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
