"""The export `odps`."""

from typing import Literal

from platform_resources.capabilities.protocols import Exported
from platform_resources.capabilities.registry import installed_registry
from platform_resources.interchange.round_trips import FORMS, Import, exported_text, imported
from platform_resources.spec.strict import Strict


class ProductDocumentSettings(Strict):
    """Which version of the standard; the one of the document that the product was imported from, else the newest, if left out."""

    version: Literal["", "1.1.0", "1.0.0"] = ""


class ProductDocument:
    """A document of the Open Data Product Standard (ODPS 1.1.0 or 1.0.0): ports, owners, support, terms.

    What the standard has no slot for goes to the custom property `mesh.carried` and comes back when the document is imported.
    """

    name = "odps"
    config = ProductDocumentSettings
    media_type = "application/yaml"
    ending = ".odps.yaml"
    example = """
- name: odps
  type: carried-document
  properties: {version: v1.0.0, changes: [{at: [tenant], value: retail}]}
"""

    def text(self, settings: ProductDocumentSettings, source: Exported) -> str:
        return exported_text(source.product, FORMS[self.name], installed_registry(), settings.version)

    def imported(self, text: str, file: str, name: str, domain: str) -> Import | None:
        return imported(text, file, FORMS[self.name], installed_registry(), name, domain)


CAPABILITY = ProductDocument()
