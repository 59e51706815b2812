"""The command `mesh demo-history`: made-up history for a sample mesh."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from platform_resources.cli.terminal.console import CANNOT_RUN, cell, mesh_of, out, stop
from platform_resources.cli.terminal.memory import opened, synced


def demo_history(
    context: typer.Context,
    remove: Annotated[bool, typer.Option("--remove", help="Take away what was made up, and nothing else.")] = False,
    beside_real: Annotated[bool, typer.Option("--beside-real", help="Also if the mesh has a real history older than today.")] = False,
) -> None:
    """Make up 20 days of refreshes, readings, reads and incidents, so that charts of a sample mesh are not empty. All of it is marked."""
    from platform_resources.services.catalog.demo_history import NothingRefreshed, RealHistory, make_up_history, remove_history

    root, plan = mesh_of(context)
    now = datetime.now(UTC)
    if remove:
        with opened(root) as ledger:
            made = remove_history(ledger)
        out.print("nothing is made up here" if made is None else "what was made up is gone")
        return
    with synced(root, now) as ledger:
        try:
            made = make_up_history(ledger, plan, now, beside_real)
        except NothingRefreshed as error:
            stop(str(error), CANNOT_RUN)
        except RealHistory as error:
            stop(f"{error}\n--beside-real makes it up all the same", CANNOT_RUN)
    days = f"{made.since:%Y-%m-%d} to {made.until:%Y-%m-%d}"
    out.print(cell(f"made up: {days}, of {', '.join(made.products)}; `mesh demo-history --remove` takes it away"), soft_wrap=True)
