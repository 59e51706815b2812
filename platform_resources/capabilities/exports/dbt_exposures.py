"""The export `dbt-exposures`."""

from platform_resources.capabilities.protocols import Exported, NoExportSettings, WrittenOnly
from platform_resources.interchange.bitol_parts import Fields, filled
from platform_resources.interchange.foreign_yaml import foreign_text
from platform_resources.spec.components import Consumer
from platform_resources.spec.product import Declared, Product, model_name
from platform_resources.spec.values.field_types import is_email

_TYPES = {"dashboard": "dashboard", "report": "analysis", "model": "ml", "application": "application"}


class DbtExposures(WrittenOnly):
    """The known consumers of the product as exposures of dbt, so that dbt's own lineage and documentation end where the data are used."""

    name = "dbt-exposures"
    config = NoExportSettings
    media_type = "application/yaml"
    ending = ".exposures.yml"
    example = """
- name: CRM dashboard
  type: consumer
  properties: {kind: dashboard, uses: [customers_sql], url: "https://bi.example.com/crm", owner: team:crm}
"""

    def text(self, settings: NoExportSettings, source: Exported) -> str:
        product = source.product
        return foreign_text({"version": 2, "exposures": [_exposure(product, consumer) for consumer in product.consumers]})


def _exposure(product: Product, consumer: Declared[Consumer]) -> Fields:
    said = consumer.config
    return filled(
        name=f"{product.name}_{consumer.name}",
        label=consumer.title,
        type=_TYPES[said.kind],
        url=said.url,
        description=said.description,
        owner=_owner(said.owner or next(iter(product.info.owners.names), product.domain)),
        depends_on=[f"ref('{model}')" for model in _models(product, said)],
    )


def _models(product: Product, said: Consumer) -> list[str]:
    """The models behind the ports that the consumer reads, each once."""
    ports = [port for port in map(product.output_port, said.uses) if port is not None]
    data_sets = [product.data_set(port.config.data_set) for port in ports]
    return list(dict.fromkeys(model_name(data_set) for data_set in data_sets if data_set is not None))


def _owner(owner: str) -> Fields:
    return {"email": owner} if is_email(owner) else {"name": owner.removeprefix("team:")}


CAPABILITY = DbtExposures()
