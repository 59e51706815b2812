"""The policy `personal-data-is-masked`."""

from collections.abc import Iterator

from platform_resources.capabilities.masks.redact import NothingToSet
from platform_resources.capabilities.protocols import Breach, PolicyFacts, PolicyNeeds
from platform_resources.spec.agreements import CLEAR
from platform_resources.spec.components import Column
from platform_resources.spec.governance import Level
from platform_resources.spec.product import Product
from platform_resources.spec.values.column_names import folded_column


class PersonalDataIsMasked:
    """A role that anybody receives without a decision sees nothing in the clear that others do not."""

    name = "personal-data-is-masked"
    config = NothingToSet
    level: Level = "warn"
    needs: PolicyNeeds = "documents"
    example = """
- name: Internal use
  type: data-sharing-agreement
  properties:
    approval: automatic
    roles: [{role: analyst, sees: [public, internal], masked: [personal]}]
"""

    def breaches(self, product: Product, facts: PolicyFacts) -> Iterator[Breach]:
        for agreement in product.agreements:
            for role in agreement.config.roles if agreement.config.approval == "automatic" else ():
                restricted = {column.rule.name for column in _columns(product) if column.rule.others != "clear"}
                clear = [name for name in role.sees if name in restricted]
                clear += [name for name, use in role.columns.items() if use.mask == CLEAR and _is_restricted(product, name)]
                if clear:
                    message = f"role {role.role} is granted automatically and sees {', '.join(clear)} in the clear"
                    yield Breach("roles", message, "write approval: owner, or move it from sees to masked", agreement.origin)


def _columns(product: Product) -> tuple[Column, ...]:
    return tuple(column for data_set in product.data_sets for column in data_set.config.columns)


def _is_restricted(product: Product, name: str) -> bool:
    named = (column for column in _columns(product) if folded_column(column.name) == folded_column(name))
    return any(column.rule.others != "clear" for column in named)


CAPABILITY = PersonalDataIsMasked()
