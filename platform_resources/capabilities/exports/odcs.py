"""The export `odcs`."""

from typing import Literal

from platform_resources.capabilities.protocols import Exported
from platform_resources.capabilities.registry import installed_registry
from platform_resources.interchange.round_trips import FORMS, Import, exported_text, imported
from platform_resources.spec.strict import Strict


class ContractSettings(Strict):
    """Which version of the standard; the one of the document that the product was imported from, else the newest, if left out."""

    version: Literal["", "3.2.0", "3.1.0"] = ""


class DataContract:
    """A data contract of the Open Data Contract Standard (ODCS 3.2.0 or 3.1.0): data sets, columns, quality, service levels, roles.

    What the standard has no slot for goes to the custom property `mesh.carried` and comes back when the contract is imported.
    """

    name = "odcs"
    config = ContractSettings
    media_type = "application/yaml"
    ending = ".odcs.yaml"
    example = """
- name: odcs
  type: carried-document
  properties: {version: v3.1.0, changes: [{at: [tenant], value: retail}]}
"""

    def text(self, settings: ContractSettings, source: Exported) -> str:
        return exported_text(source.product, FORMS[self.name], installed_registry(), settings.version)

    def imported(self, text: str, file: str, name: str, domain: str) -> Import | None:
        return imported(text, file, FORMS[self.name], installed_registry(), name, domain)


CAPABILITY = DataContract()
