"""The export `dprod`."""

import json
from collections.abc import Iterator
from typing import Any

from platform_resources.capabilities.protocols import Exported, NoExportSettings, WrittenOnly
from platform_resources.interchange.bitol_parts import Fields, filled
from platform_resources.spec.components import DataSet, OutputPort
from platform_resources.spec.product import Declared, Product

CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "dprod": "https://ekgf.github.io/dprod/",
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "sdo": "https://schema.org/",
}
# The stages of a data product's life that DPROD's vocabulary has.
_STAGES = {"proposed": "Ideation", "draft": "Build", "production": "Consume", "deprecated": "Consume"}


class Dprod(WrittenOnly):
    """Linked data for catalogs: DCAT with the Data Product Ontology (DPROD) as JSON-LD, which brings its own context along.

    Ports are data services, each with the distribution that it serves and the data set of that; identifiers are URNs of the mesh.
    """

    name = "dprod"
    config = NoExportSettings
    media_type = "application/ld+json"
    ending = ".dprod.jsonld"
    example = """
- name: orders
  type: output-port
  properties: {interface: sql, data_set: orders, description: "Baskets, for SQL."}
"""

    def text(self, settings: NoExportSettings, source: Exported) -> str:
        document = {"@context": CONTEXT, "@graph": list(_nodes(source.product))}
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def urn(product: str, *inner: str) -> str:
    """What a product, or a part of it, is called in linked data: `urn:data-product:orders:port:orders_sql`."""
    return ":".join(("urn:data-product", product, *inner))


def _nodes(product: Product) -> Iterator[Fields]:
    info, name = product.info, product.name
    stages = [{"@id": f"dprod:{_STAGES[info.lifecycle]}"}] if info.lifecycle in _STAGES else []
    owners = [{"@id": owner if owner.startswith("team:") else f"mailto:{owner}"} for owner in info.owners.names]
    yield {
        "@id": urn(name),
        "@type": "dprod:DataProduct",
        "rdfs:label": product.title,
        **filled(**{"dct:description": info.description, "dprod:purpose": info.purpose, "dprod:dataProductOwner": owners}),
        "dprod:domain": {"@id": f"urn:data-domain:{product.domain}"},
        "dprod:lifecycleStatus": stages,
        "dcat:version": info.version,
        **filled(**{"dcat:keyword": list(info.tags)}),
        "dprod:inputPort": [{"@id": _input(product, port)} for port in product.input_ports],
        "dprod:outputPort": [{"@id": urn(name, "port", port.name)} for port in product.output_ports],
        "dprod:outputDataset": [{"@id": urn(name, "data-set", data_set.name)} for data_set in product.data_sets],
    }
    yield from ({**stage, "@type": "dprod:DataProductLifecycleStatus", "rdfs:label": info.lifecycle} for stage in stages)
    yield {"@id": f"urn:data-domain:{product.domain}", "rdfs:label": product.domain_component.title}
    yield from ({**owner, "@type": "prov:Agent"} for owner in owners)
    yield from ({"@id": _input(product, port), "@type": "dcat:DataService", "rdfs:label": port.title} for port in product.input_ports)
    for port in product.output_ports:
        yield from _port(product, port)
    yield from (_data_set(product, data_set) for data_set in product.data_sets)


def _input(product: Product, port: Declared[Any]) -> str:
    """Another product's port has the identifier that it has there."""
    upstream, _, named = str(getattr(port.settings, "associated_output_port", "")).partition(".")
    return urn(upstream, "port", named) if named else urn(product.name, "input", port.name)


def _port(product: Product, port: Declared[OutputPort]) -> Iterator[Fields]:
    distribution = urn(product.name, "distribution", port.name)
    described = product.data_set(port.config.data_set)
    yield {
        "@id": urn(product.name, "port", port.name),
        "@type": "dcat:DataService",
        "rdfs:label": port.title,
        **filled(**{"dct:description": port.config.description}),
        "dcat:endpointDescription": port.variant,
        "dprod:isAccessServiceOf": {"@id": distribution},
    }
    made_of = {"dprod:isDistributionOf": {"@id": urn(product.name, "data-set", described.name)}} if described is not None else {}
    yield {"@id": distribution, "@type": "dcat:Distribution", **filled(**{"dct:format": getattr(port.settings, "format", None)}), **made_of}


def _data_set(product: Product, data_set: Declared[DataSet]) -> Fields:
    identifier = urn(product.name, "data-set", data_set.name)
    columns = [
        {
            "@id": f"{identifier}:{number}",
            "@type": "sdo:PropertyValue",
            "sdo:name": column.name,
            **filled(**{"sdo:description": column.description, "sdo:unitText": column.unit, "sdo:valueReference": column.type}),
        }
        for number, column in enumerate(data_set.config.columns, 1)
    ]
    return {
        "@id": identifier,
        "@type": "dcat:Dataset",
        "rdfs:label": data_set.title,
        **filled(**{"dct:description": data_set.config.description, "sdo:variableMeasured": columns}),
    }


CAPABILITY = Dprod()
