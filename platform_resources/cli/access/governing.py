"""The command `mesh policies`: list the mesh's policies and who breaches them."""

import inspect
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import cell, out, print_json
from platform_resources.dbt.planning import read_mesh_and_plan
from platform_resources.plan.validation.policy_validation import PolicyBreach
from platform_resources.repository.mesh_folders import mesh_root, state_folder

if TYPE_CHECKING:
    from platform_resources.services.access.policy_standings import PolicyStanding


def policies(
    context: typer.Context,
    broken: Annotated[bool, typer.Option("--broken", help="Only those that somebody breaks.")] = False,
    as_json: Json = False,
) -> None:
    """List the policies, how strictly each applies, and which products breach it or are exempt until when."""
    from platform_resources.services.access.policy_standings import breach_data, policy_standings

    root = mesh_root(context.obj)
    mesh, plan, _ = read_mesh_and_plan(root)
    standings = [s for s in policy_standings(state_folder(root), mesh, plan, datetime.now(UTC)) if s.breaches or not broken]
    if as_json:
        rows = [(standing, {"policy": standing.name, "levels": dict(standing.levels)}) for standing in standings]
        print_json([{**row, "breaches": [breach_data(breach) for breach in standing.breaches]} for standing, row in rows])
        return
    table = Table("policy", "level", "who", "what", box=None)
    for standing in standings:
        first = inspect.getdoc(mesh.registry.policies()[standing.name]) or ""
        table.add_row(cell(standing.name), _levels(standing), "", cell(first.partition("\n")[0]), style="bold")
        for breach in standing.breaches:
            table.add_row("", breach.level if breach.exemption is None else "exempt", cell(breach.product.name), cell(_said(breach)))
    out.print(table)


def _levels(standing: "PolicyStanding") -> str:
    """One level where it holds alike everywhere, else each domain's."""
    levels = set(standing.levels.values())
    return levels.pop() if len(levels) == 1 else ", ".join(f"{domain}: {level}" for domain, level in standing.levels.items())


def _said(breach: PolicyBreach) -> str:
    exemption = breach.exemption
    until = f" (until {exemption.until}, {exemption.owner}: {exemption.reason})" if exemption is not None else ""
    return f"{breach.breach.message}{until}"
