"""Write the product.yaml of a migrated dbt project: its ports, and its data sets with the columns that dbt built."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from platform_resources.dbt.outside_project import OutsideColumn, OutsideModel, OutsideProject
from platform_resources.interchange.product_text import document_text
from platform_resources.plan.conventions import Placed
from platform_resources.services.migrating.carried_ports import CarriedPort, port_properties
from platform_resources.services.migrating.carrying import Carried
from platform_resources.spec.values.names import slug, title_of_name
from platform_resources.spec.values.type_names import type_name

_PUBLISHED_FOLDER = "marts"


def data_set_models(project: OutsideProject, carried: Carried) -> tuple[OutsideModel, ...]:
    """The models to expose as data sets: in a `marts` folder, in an exposure, public, or read by no other model."""
    chosen = []
    for model in project.models:
        if model.read and not model.exposed and _PUBLISHED_FOLDER not in PurePosixPath(model.file).parts:
            continue
        why = _unfit(model)
        if why:
            carried.leave(model.file, f"{model.name} is no data set: {why}", "let a model in SQL select from it, and publish that")
        else:
            chosen.append(model)
    return tuple(chosen)


def _unfit(model: OutsideModel) -> str:
    if model.language != "sql":
        return "it is written in Python, and dbt enforces no contract on it"
    if model.version:
        return "it is a version of a model"
    return "it is ephemeral" if model.materialized == "ephemeral" else ""


def product_text(
    project: OutsideProject,
    product: Placed,
    ports: Sequence[CarriedPort],
    models: Sequence[OutsideModel],
    built: Mapping[str, Mapping[str, str]],
    carried: Carried,
) -> str:
    """The text of product.yaml; `built` has each model's columns and types, as far as a trial build showed them."""
    info = {"title": title_of_name(project.name), "description": f"Imported from the dbt project {project.name}."}
    components: list[dict[str, Any]] = [
        {"name": product.domain, "type": "domain"},
        {"name": product.name, "type": "data-product", "properties": {**info, "lifecycle": "draft", "version": "0.1.0"}},
        *({"name": port.name, "type": "input-port", "properties": port_properties(port, carried)} for port in ports),
        *({"name": model.name, "type": "data-set", "properties": _data_set(model, built.get(model.name, {}), carried)} for model in models),
    ]
    taken = {component["name"] for component in components} | project.names
    for model in models:
        name = next(name for name in (f"{model.name}_sql", f"{model.name}_port", f"{product.name}_{model.name}_sql") if name not in taken)
        components.append({"name": name, "type": "output-port", "properties": {"interface": "sql", "data_set": model.name}})
    return document_text(product.name, components)


def _data_set(model: OutsideModel, types: Mapping[str, str], carried: Carried) -> dict[str, Any]:
    described = {column.name.casefold(): column for column in model.columns}
    known = {name: _type(described.get(name.casefold()), kind) for name, kind in types.items()} or _declared(model)
    columns = [_column(name, kind, described.get(name.casefold())) for name, kind in known.items() if kind]
    if not known or not all(known.values()):
        strange = ", ".join(f"{name} ({types[name]})" for name, kind in known.items() if not kind)
        what = f"{model.name} promises no columns: " + (
            f"no column of a data set has the type of {strange}" if strange else "their types are not known"
        )
        carried.leave(model.file, what, "write its columns in product.yaml: they are the contract")
        columns = []
    keys = [column.name for column in model.columns if column.filled and column.unique]
    return {
        **({"description": model.description} if model.description else {}),
        **({} if slug(model.name) == model.name else {"model": model.name}),
        **({"primary_key": keys} if len(keys) == 1 and columns else {}),
        **({"columns": columns} if columns else {}),
    }


def _column(name: str, kind: str, described: OutsideColumn | None) -> dict[str, Any]:
    filled = described is not None and described.filled
    description = " ".join(described.description.split()) if described is not None else ""
    column = {"name": name, "type": kind, **({} if filled else {"nullable": True})}
    return {**column, **({"description": description} if description else {})}


def _type(described: OutsideColumn | None, built: str) -> str:
    """What dbt's YAML declares goes first; nothing of a type that no column of a data set has."""
    for written in (described.type if described is not None else "", built):
        try:
            return type_name(written)
        except ValueError:
            continue
    return ""


def _declared(model: OutsideModel) -> dict[str, str]:
    """The columns as dbt's YAML declares them, where it declares the type of each."""
    columns = {column.name: _type(column, "") for column in model.columns}
    return columns if all(columns.values()) else {}
