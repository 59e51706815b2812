"""The command `mesh repairs`: propose SQL that corrects values, for review."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from platform_resources.capabilities.registry import installed_registry
from platform_resources.capabilities.support.shares import amount
from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, cell, mesh_of, out, print_json, print_table, product_of, stop, words
from platform_resources.repository.mesh_folders import state_folder

if TYPE_CHECKING:
    from platform_resources.refresh.mending.proposed_repairs import ProposedRepair


def repairs(context: typer.Context, product: Annotated[str, typer.Argument(help="The product.")], as_json: Json = False) -> None:
    """Propose corrections for values that miss validity and accuracy objectives, with row counts. Nothing is applied."""
    root, plan = mesh_of(context, [product])
    planned = product_of(plan, product)
    from platform_resources.refresh.product_locks import ProductBusy
    from platform_resources.services.refreshes.mending import NothingBuilt, repairs_of

    try:
        proposed = repairs_of(state_folder(root), planned, installed_registry(), datetime.now(UTC))
    except (ProductBusy, NothingBuilt) as error:
        stop(str(error), CANNOT_RUN)
    if as_json:
        print_json([asdict(repair) for repair in proposed])
        return
    if not proposed:
        words.print(f"{planned.name}: no promise is missed of which values could be mended")
    for repair in proposed:
        _print(repair)


def _print(repair: "ProposedRepair") -> None:
    out.print(cell(f"{repair.objective}: {amount(repair.rows)} of {repair.data_set} would be mended if {repair.what} ({repair.column})"))
    if repair.withheld:
        out.print(cell(f"  {repair.withheld}"))
    if repair.sql:
        out.print(cell("\n".join(f"    {line}" for line in repair.sql.splitlines())), soft_wrap=True)
    if repair.examples:
        print_table(repair.examples[0], [map(repr, row.values()) for row in repair.examples])
    out.print()
