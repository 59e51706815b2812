"""Commands about monitors as code: plan and apply changes of the deployed monitors."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import (
    CANNOT_RUN,
    FINE,
    MISSED,
    SPEC_INVALID,
    Stop,
    cell,
    out,
    print_json,
    print_problems,
    stop,
    words,
    you,
)
from platform_resources.cli.terminal.memory import Sync, shown
from platform_resources.dbt.planning import read_plan
from platform_resources.monitors.monitor_text import changes_text, count_text
from platform_resources.repository.mesh_folders import mesh_root

if TYPE_CHECKING:
    from platform_resources.services.checks.monitor_changes import MonitorChanges

app = typer.Typer(help="Monitors as code: plan and apply every check of the products.", no_args_is_help=True, add_completion=False)
STYLES = {"+": "green", "~": "yellow", "↻": "yellow", "→": "yellow", "-": "red"}
Names = Annotated[
    list[str] | None,
    typer.Argument(help="Only these products and domains; all if left out.", metavar="[PRODUCT|DOMAIN]...", show_default=False),
]


@app.command()
def plan(
    context: typer.Context,
    names: Names = None,
    as_json: Json = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if anything would change.")] = False,
    sync: Sync = False,
) -> None:
    """Show what `mesh monitors apply` would create, change, retrain, rename and remove, and what that costs. It changes nothing."""
    from platform_resources.services.checks.monitor_changes import MeshSpecifications, NothingOfThatName, planned_changes

    root, now = mesh_root(context.obj), datetime.now(UTC)
    specifications = MeshSpecifications(*read_plan(root), names or ())
    try:
        with shown(root, now, sync, quiet=True) as ledger:
            changes = planned_changes(ledger, specifications, now)
    except NothingOfThatName as error:
        stop(str(error), CANNOT_RUN)
    print_problems(changes.problems)
    _print(changes, as_json, {})
    if changes.problems:
        raise Stop(SPEC_INVALID)
    raise Stop(MISSED if exit_code and any(product.changes for product in changes.products) else FINE)


@app.command()
def apply(
    context: typer.Context,
    names: Names = None,
    by: Annotated[str | None, typer.Option("--by", help="Who does it; the name of the user of this computer if left out.")] = None,
    as_json: Json = False,
    sync: Sync = False,
) -> None:
    """Record the specified monitors as deployed; refused as a whole if the specifications have problems."""
    from platform_resources.services.checks import monitor_changes

    who, root, now = by or you("--by"), mesh_root(context.obj), datetime.now(UTC)
    specifications = monitor_changes.MeshSpecifications(*read_plan(root), names or ())
    try:
        with shown(root, now, sync, quiet=True) as ledger:
            changes = monitor_changes.applied_changes(ledger, specifications, now, who)
    except monitor_changes.NothingOfThatName as error:
        stop(str(error), CANNOT_RUN)
    except monitor_changes.SpecificationsInvalid as error:
        print_problems(error.problems)
        stop(str(error), SPEC_INVALID)
    _print(changes, as_json, {"applied_by": who, "applied_at": now.isoformat()})
    if not as_json:
        words.print(f"applied by {who}: {count_text(changes.products)}", style="green", markup=False, highlight=False)
    raise Stop(FINE)


def _print(changes: "MonitorChanges", as_json: bool, applied: Mapping[str, str]) -> None:
    from platform_resources.services.checks.monitor_changes import changes_data

    if as_json:
        print_json({**changes_data(changes), **applied})
        return
    for line in changes_text(changes.products).splitlines():
        symbol = line[2:3] if line.startswith("  ") and not line.startswith("   ") else ""
        out.print(Text(cell(line).plain, style=STYLES.get(symbol, "")), soft_wrap=True, highlight=False)
