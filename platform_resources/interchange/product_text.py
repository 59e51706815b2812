"""The text of a product.yaml from its components, and a product's components as plain data."""

from collections.abc import Sequence
from typing import Any

import yaml

from platform_resources.interchange.foreign_yaml import Indented
from platform_resources.spec.product import Declared, Product
from platform_resources.spec.reading import API_VERSION, KIND

Component = dict[str, Any]


class _OneLine(dict[str, Any]):
    """A mapping that is written in one line, as columns are."""


class _Dumper(Indented):
    """Writes columns in one line, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(_OneLine, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=True))


def document_text(name: str, components: Sequence[Component]) -> str:
    """The document with one empty line between two components."""
    document = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": {"components": list(map(_shown, components))}}
    text = str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100_000))
    return text.replace("\n    - name:", "\n\n    - name:").replace("components:\n\n", "components:\n")


def _shown(component: Component) -> Component:
    properties = component.get("properties", {})
    if not properties:
        return {field: value for field, value in component.items() if field != "properties"}
    columns = [_OneLine(column) if isinstance(column, dict) else column for column in properties.get("columns", ())]
    return {**component, "properties": {**properties, **({"columns": columns} if columns else {})}}


def components_of(product: Product) -> list[Component]:
    """What a product's document says, as plain data in one spelling; reading it again gives the same product."""
    groups = (
        product.input_ports,
        product.data_sets,
        product.output_ports,
        product.objectives,
        product.indicators,
        product.agreements,
        product.sample_queries,
        product.consumers,
        product.extensions,
    )
    info = product.info.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return [
        _component(product.domain_component),
        {"name": product.name, "type": "data-product", "properties": info},
        *(_component(declared) for group in groups for declared in group),
    ]


def _component(declared: Declared[Any]) -> Component:
    properties = declared.config.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if declared.settings is not None:
        properties |= declared.settings.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {"name": declared.title, "type": declared.type, "properties": properties}
