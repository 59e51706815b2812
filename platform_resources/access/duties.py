"""What people may do besides reading: which role in the mesh allows which decisions."""

from collections.abc import Collection
from dataclasses import dataclass

from platform_resources.access.reader_standing import Reader


@dataclass(frozen=True, slots=True)
class Officers:
    """People and teams with a role in the whole mesh; owners are named by the products themselves, and everybody else consumes."""

    platform: frozenset[str] = frozenset()
    governance: frozenset[str] = frozenset()

    def roles(self, reader: Reader | None, owners: Collection[str] = ()) -> tuple[str, ...]:
        """What the reader is to a product with these owners. The user of this computer (None) is all of it, and may write its files."""
        named = (("owner", owners), ("platform", self.platform), ("governance", self.governance))
        return tuple(role for role, names in named if reader is None or reader.is_among(names)) or ("consumer",)

    def may_act_on_incidents(self, reader: Reader | None, owners: Collection[str]) -> bool:
        """Owners, and those who run the platform."""
        return not {"owner", "platform"}.isdisjoint(self.roles(reader, owners))

    def may_decide_on_grants(self, reader: Reader | None, owners: Collection[str]) -> bool:
        """Owners, and governance. That nobody decides on a request of their own is the grant's own rule."""
        return not {"owner", "governance"}.isdisjoint(self.roles(reader, owners))

    def may_hide_reviews(self, reader: Reader | None) -> bool:
        """Governance: owners answer to what is said of their products, and do not take it away."""
        return "governance" in self.roles(reader)
