"""The command `mesh find-person`: find where the mesh stores a person, and what to rebuild after erasure."""

import re
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, cell, out, print_json, stop
from platform_resources.dbt.planning import read_mesh_and_plan
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.repository.mesh_folders import mesh_root, state_folder
from platform_resources.services.access.person_places import Holding, holdings, to_rebuild
from platform_resources.services.showing.column_lineage import mesh_lineage
from platform_resources.spec.problems import unknown_text
from platform_resources.spec.values.durations import duration_text
from platform_resources.warehouses.engine_errors import QueryFailed


def find_person(
    context: typer.Context,
    identifier: Annotated[str, typer.Argument(help="A global identifier of governance.yaml, such as household.")],
    value: Annotated[str, typer.Argument(help="Its value for the person. It is noted nowhere.")],
    as_json: Json = False,
) -> None:
    """List the products and kept versions that hold a person, and what to rebuild once the source has erased the person."""
    root = mesh_root(context.obj)
    mesh, plan, _ = read_mesh_and_plan(root)
    governance, state = mesh.governance.governance, state_folder(root)
    declared = governance.identifier(identifier)
    if declared is None:
        stop(unknown_text("identifier", identifier, [identifier.name for identifier in governance.identifiers]), CANNOT_RUN)
    if declared.format and not re.fullmatch(declared.format, value):
        stop(f"this is no {identifier}: its values look like {declared.format}", CANNOT_RUN)
    try:
        held = tuple(holdings(state, plan, mesh_lineage(state, plan), declared, value))
    except (QueryFailed, VersionsUnreadable) as error:
        stop(str(error), CANNOT_RUN)
    again = to_rebuild(plan, held)
    if as_json:
        print_json({"found": [asdict(holding) for holding in held], "rebuild": [_command(holding) for holding in again]})
        return
    if not held:
        out.print(f"no published version has this {identifier} in a column that says so, or that such a column was passed on to")
        return
    _print(held, again)


def _print(holdings: tuple[Holding, ...], again: tuple[ProductPlan, ...]) -> None:
    table = Table("product", "data set", "columns", "version", "rows", box=None)
    for holding in holdings:
        version = f"{holding.version}{' (served)' if holding.is_newest else ''}"
        table.add_row(cell(holding.product), cell(holding.data_set), cell(", ".join(holding.columns)), version, str(holding.rows))
    out.print(table)
    out.print("\nonce the source has erased the person, build anew, in this order:")
    for product in again:
        older = max((port.keep_versions for port in product.outputs), default=1)
        kept = f"or after {duration_text(product.retention)}" if product.retention is not None else "as none says a retention"
        out.print(cell(f"  {_command(product)}    # older versions go with the {older} next ones, {kept}"), soft_wrap=True, highlight=False)


def _command(product: ProductPlan) -> str:
    """A model that keeps rows of earlier builds would keep the person's."""
    keeps = any(model.materialized == "incremental" for model in product.models)
    return f"mesh refresh {product.name}{' --full-refresh' if keeps else ''}"
