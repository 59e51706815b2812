"""The component type `carried-document`."""

from typing import Any

from platform_resources.capabilities.protocols import WithoutVariants
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Text


class CarriedChange(Strict):
    """One place of a document: what stands there, instead of what else would; or in which order the items of a list come there."""

    at: tuple[Text, ...]
    value: Any = None
    instead_of: Any = None
    order: tuple[Text, ...] = ()


class CarriedDocument(Strict):
    """The version of the document's standard, and what it said that the platform has no word for."""

    version: Text
    changes: tuple[CarriedChange, ...] = ()


class CarriedDocumentComponent(WithoutVariants):
    """What a document of another standard said and the platform has no word for; `mesh import` writes it, `mesh export` puts it back.

    The component's name is the standard's. A change holds while the product says there what it said when it was imported; what is changed
    in product.yaml later holds instead.
    """

    name = "carried-document"
    config = CarriedDocument
    example = """
- name: odcs
  type: carried-document
  properties:
    version: v3.2.0
    changes:
      - {at: [tenant], value: retail}
      - {at: [schema, customers, properties, household_id, businessName], value: Household}
"""


CAPABILITY = CarriedDocumentComponent()
