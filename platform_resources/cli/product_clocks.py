"""Times as people read them: on the clock of the product that they are about, with its zone, as in messages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from platform_resources.plan.plan import MeshPlan
from platform_resources.repository.mesh_repository import read_plan
from platform_resources.spec.values.clocks import Clock


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of the products of a plan, and what time it is. What is no product of it goes by UTC."""

    plan: MeshPlan
    now: datetime

    def moment(self, product: str, at: datetime | None, never: str = "-") -> str:
        """`Mon 15 Jun, 05:00 CEST`."""
        if at is None:
            return never
        found = next((each for each in self.plan.products if each.name == product), None)
        return Clock(found.zone if found is not None else "UTC", self.now).moment(at)


def clocks(root: Path, products: Iterable[str]) -> Clocks:
    """Of these products; their documents are read for it."""
    names = frozenset(products)
    return Clocks(read_plan(root, names)[0] if names else MeshPlan((), ()), datetime.now(UTC))
