"""The export `datahub`."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from platform_resources.capabilities.protocols import Exported, ExportEvidence, NoExportSettings, WrittenOnly
from platform_resources.interchange.bitol_parts import Fields, filled
from platform_resources.spec.components import Column, DataSet
from platform_resources.spec.product import Declared, Product

_PLATFORM = "urn:li:dataPlatform:mesh"
_ACTOR = {"time": 0, "actor": "urn:li:corpuser:mesh"}
_KINDS = {
    "Number": "tinyint smallint integer bigint hugeint ubigint uinteger decimal double float",
    "String": "varchar uuid json interval",
    "Boolean": "boolean",
    "Date": "date",
    "Time": "time timestamp timestamptz",
    "Bytes": "blob",
}
_KIND_OF = {kind: name for name, kinds in _KINDS.items() for kind in kinds.split()}


class DataHub(WrittenOnly):
    """Metadata change proposals as DataHub's file source reads them: domain, data product, owners, tags, data sets with their columns and
    where these come from, objectives as assertions with what they said last, and a contract for each data set.

    Experimental: never loaded into a DataHub. A data set is called `<product>.<data set>` on the platform `mesh`.
    """

    name = "datahub"
    config = NoExportSettings
    media_type = "application/json"
    ending = ".datahub.json"
    example = """
- name: purchase_orders
  type: data-product
  properties:
    owners: {business: head-of-sales@example.com, technical: team:sales-data}
    tags: [order, sales]
"""

    def text(self, settings: NoExportSettings, source: Exported) -> str:
        return json.dumps(list(_proposals(source.product, source.seen())), indent=2, ensure_ascii=False) + "\n"


def _proposals(product: Product, seen: ExportEvidence) -> Iterator[Fields]:
    info, domain = product.info, f"urn:li:domain:{product.domain}"
    yield _proposal("domain", domain, "domainProperties", {"name": product.domain_component.title})
    product_urn = f"urn:li:dataProduct:{product.name}"
    assets = [{"destinationUrn": _data_set_urn(product, data_set)} for data_set in product.data_sets]
    properties = {"version": info.version, "lifecycle": info.lifecycle}
    yield _proposal(
        "dataProduct",
        product_urn,
        "dataProductProperties",
        {"name": product.title, "description": info.description, "customProperties": properties, "assets": assets},
    )
    entities = [("dataProduct", product_urn), *(("dataset", _data_set_urn(product, data_set)) for data_set in product.data_sets)]
    for kind, urn in entities:
        yield from _common(product, kind, urn, domain)
    for data_set in product.data_sets:
        yield from _described(product, data_set)
        yield from _made_from(product, data_set, seen)
        yield from _promised(product, data_set, seen)


def _made_from(product: Product, data_set: Declared[DataSet], seen: ExportEvidence) -> Iterator[Fields]:
    """The lineage of its columns, and of the data set by that."""
    sources = [source for source in seen.columns if source.data_set == data_set.name]
    if not sources:
        return
    urn = _data_set_urn(product, data_set)
    by_column: dict[str, list[str]] = {}
    for source in sources:
        by_column.setdefault(source.column, []).append(_field_urn(_urn(source.from_product, source.from_data_set), source.from_column))
    fine = [
        {"upstreamType": "FIELD_SET", "upstreams": origins, "downstreamType": "FIELD", "downstreams": [_field_urn(urn, column)]}
        for column, origins in by_column.items()
    ]
    upstreams = sorted({_urn(source.from_product, source.from_data_set) for source in sources})
    whole = [{"dataset": upstream, "type": "TRANSFORMED", "auditStamp": _ACTOR} for upstream in upstreams]
    yield _proposal("dataset", urn, "upstreamLineage", {"upstreams": whole, "fineGrainedLineages": fine})


def _promised(product: Product, data_set: Declared[DataSet], seen: ExportEvidence) -> Iterator[Fields]:
    """Its objectives as assertions, what they said last, and the contract that holds them together."""
    urn = _data_set_urn(product, data_set)
    named = len(product.data_sets) == 1
    own = [promise for promise in product.objectives if promise.config.data_set in ((data_set.name, None) if named else (data_set.name,))]
    for promise in own:
        words = promise.config.description or promise.title
        custom = {"type": promise.config.dimension, "entity": urn}
        info = {"type": "CUSTOM", "description": words, "customAssertion": custom, "source": {"type": "EXTERNAL"}}
        assertion = _assertion_urn(product, promise)
        yield _proposal("assertion", assertion, "assertionInfo", info)
        said = seen.results.get(promise.title)
        if said is not None and said.verdict != "unknown":
            millis = int(said.at.timestamp() * 1000)
            result = {"type": "SUCCESS" if said.verdict == "met" else "FAILURE", "nativeResults": {"reason": said.reason}}
            run = {"timestampMillis": millis, "runId": str(millis), "asserteeUrn": urn, "status": "COMPLETE", "assertionUrn": assertion}
            yield _proposal("assertion", assertion, "assertionRunEvent", {**run, "result": result})
    if own:
        contract = f"urn:li:dataContract:{product.name}.{data_set.name}"
        quality = [{"assertion": _assertion_urn(product, promise)} for promise in own]
        yield _proposal("dataContract", contract, "dataContractProperties", {"entity": urn, "dataQuality": quality})
        yield _proposal("dataContract", contract, "dataContractStatus", {"state": "ACTIVE"})


def _common(product: Product, kind: str, urn: str, domain: str) -> Iterator[Fields]:
    owners = [
        {"owner": _owner_urn(owner), "type": role}
        for owner, role in ((product.info.owners.business, "BUSINESS_OWNER"), (product.info.owners.technical, "TECHNICAL_OWNER"))
        if owner
    ]
    yield _proposal(kind, urn, "domains", {"domains": [domain]})
    if owners:
        yield _proposal(kind, urn, "ownership", {"owners": owners, "lastModified": _ACTOR})
    if product.info.tags:
        yield _proposal(kind, urn, "globalTags", {"tags": [{"tag": f"urn:li:tag:{tag}"} for tag in product.info.tags]})
    if product.info.lifecycle == "deprecated":
        yield _proposal(
            kind, urn, "deprecation", {"deprecated": True, "note": f"replaced by {product.info.replacement}", "actor": _ACTOR["actor"]}
        )


def _described(product: Product, data_set: Declared[DataSet]) -> Iterator[Fields]:
    urn, said = _data_set_urn(product, data_set), data_set.config
    yield _proposal("dataset", urn, "datasetProperties", {"name": data_set.title, "description": said.description})
    if not said.columns:
        return
    fields = [_field(column, said) for column in said.columns]
    schema = {
        "schemaName": f"{product.name}.{data_set.name}",
        "platform": _PLATFORM,
        "version": 0,
        "hash": hashlib.md5(json.dumps(fields).encode(), usedforsecurity=False).hexdigest(),
        "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}},
        "fields": fields,
        **filled(primaryKeys=list(said.primary_key)),
    }
    yield _proposal("dataset", urn, "schemaMetadata", schema)


def _field(column: Column, data_set: DataSet) -> dict[str, Any]:
    kind = "Array" if column.type.endswith("]") else _KIND_OF[column.type.partition("(")[0]]
    return {
        "fieldPath": column.name,
        "nullable": column.nullable,
        "description": column.description,
        "type": {"type": {f"com.linkedin.schema.{kind}Type": {}}},
        "nativeDataType": column.type,
        "isPartOfKey": column.name in data_set.primary_key,
        "globalTags": {"tags": [{"tag": f"urn:li:tag:{tag}"} for tag in (column.classification, *column.tags)]},
    }


def _proposal(kind: str, urn: str, aspect: str, value: Fields) -> Fields:
    return {"entityType": kind, "entityUrn": urn, "changeType": "UPSERT", "aspectName": aspect, "aspect": {"json": value}}


def _data_set_urn(product: Product, data_set: Declared[DataSet]) -> str:
    return _urn(product.name, data_set.name)


def _urn(product: str, data_set: str) -> str:
    return f"urn:li:dataset:({_PLATFORM},{product}.{data_set},PROD)"


def _field_urn(data_set: str, column: str) -> str:
    return f"urn:li:schemaField:({data_set},{column})"


def _assertion_urn(product: Product, promise: Declared[Any]) -> str:
    return f"urn:li:assertion:{product.name}.{promise.name}"


def _owner_urn(owner: str) -> str:
    return f"urn:li:corpGroup:{owner.removeprefix('team:')}" if owner.startswith("team:") else f"urn:li:corpuser:{owner}"


CAPABILITY = DataHub()
