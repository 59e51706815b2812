"""A product as a document of the Open Data Product Standard (ODPS), and back."""

from collections.abc import Iterator, Mapping
from typing import Any

from platform_resources.interchange.bitol_parts import (
    Fields,
    custom,
    description,
    filled,
    first_components,
    group,
    head,
    identity,
    info_of,
    named,
    of_custom,
    of_type,
    ordered,
    support,
    team,
    title_of,
    unique_titles,
)
from platform_resources.interchange.product_text import Component
from platform_resources.spec.values.names import slug

_TYPES = {"source-aligned": "sourceAligned", "aggregate": "aggregate", "consumer-aligned": "consumerAligned"}
_ARCHETYPES = {word: archetype for archetype, word in _TYPES.items()}
# The custom property that has a product's name in code where its title does not tell it.
_NAME = "dataProduct"
_OUTPUT_TYPES = {"sql": "tables", "file": "files"}
_INTERFACES = {word: interface for interface, word in _OUTPUT_TYPES.items()}


def product_document(components: list[Component], version: str) -> Fields:
    """What the product is, what it reads, and what it offers."""
    name, _, info = info_of(components)
    newest = version == "v1.1.0"
    name_from_title = slug(title_of(name, info)) == name
    return {
        **head(components, "DataProduct", version),
        **filled(
            type=_TYPES.get(info.get("archetype", "")) if newest else None,
            deprecated=True if newest and info.get("lifecycle") == "deprecated" else None,
            description=description(components),
            tags=info.get("tags"),
            inputPorts=list(_inputs(components, newest)),
            outputPorts=list(_outputs(components)),
            support=support(info),
            team=team(info),
            customProperties=[] if name_from_title else custom({_NAME: name}),
        ),
    }


def _inputs(components: list[Component], newest: bool) -> Iterator[Fields]:
    """Before 1.1 every input port needs a contract and its version, which those outside the mesh have not."""
    for port in of_type(components, "input-port"):
        said = port["properties"]
        upstream = str(said.get("associated_output_port") or "")
        if upstream:
            contract = {"version": said.get("version", "*"), "contractId": identity(upstream.partition(".")[0])}
            yield {"name": port["name"], **contract, "customProperties": custom({"port": upstream})}
        elif newest:
            yield {"name": port["name"]}


def _outputs(components: list[Component]) -> Iterator[Fields]:
    name, _, info = info_of(components)
    for port in of_type(components, "output-port"):
        said = port["properties"]
        yield filled(
            name=port["name"],
            description=said.get("description"),
            type=_OUTPUT_TYPES.get(said.get("interface", "sql"), said.get("interface")),
            version=said.get("version") or info.get("version", "0.1.0"),
            contractId=identity(name),
            customProperties=custom({"dataSet": said.get("data_set"), "format": said.get("format")}),
        )


def product_components(document: Fields) -> list[Component]:
    """What a document of a product says in the platform's words; what these have no word for is left out."""
    archetype = _ARCHETYPES.get(str(document.get("type")))
    properties = of_custom(document.get("customProperties"))
    domain, product = first_components(document, named({**document, _NAME: properties.get(_NAME)}, _NAME, "name", "id"), archetype)
    ports = [*map(_input, document.get("inputPorts") or ()), *map(_output, document.get("outputPorts") or ())]
    return ordered([domain, product, *unique_titles([*ports, *_terms(document)])])


def _input(port: Mapping[str, Any]) -> Component:
    """A port of another product of the mesh if the document says so, else a source that is only named."""
    upstream = of_custom(port.get("customProperties")).get("port")
    read = {"interface": "data-product", "associated_output_port": upstream, "version": port.get("version")}
    properties = read if isinstance(upstream, str) and upstream else {"interface": "external"}
    return {"name": port["name"].strip(), "type": "input-port", "properties": filled(**properties)}


def _output(port: Mapping[str, Any]) -> Component:
    own = of_custom(port.get("customProperties"))
    interface = _INTERFACES.get(str(port.get("type")), "sql")
    properties = filled(
        interface=interface,
        description=port.get("description"),
        data_set=own.get("dataSet") if isinstance(own.get("dataSet"), str) else None,
        format=own.get("format") if interface == "file" else None,
    )
    return {"name": port["name"].strip(), "type": "output-port", "properties": properties}


def _terms(document: Fields) -> list[Component]:
    texts = group(document, "description")
    terms = filled(terms=texts.get("limitations"))
    return [{"name": "Contract", "type": "data-sharing-agreement", "properties": terms}] if terms else []
