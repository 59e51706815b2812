"""Commands about stages of life: what each requires of a product, and who signs it off."""

from datetime import UTC, datetime
from typing import Annotated, get_args

import typer

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, MISSED, mesh_of, out, plain, print_json, product_of, stop, you
from platform_resources.cli.terminal.memory import opened
from platform_resources.spec.problems import unknown_text
from platform_resources.spec.values.field_types import Lifecycle


def stages(context: typer.Context, product: Annotated[str, typer.Argument(help="The product.")], as_json: Json = False) -> None:
    """List what each stage of its life requires of a product, who has signed it off, and what is missing."""
    from platform_resources.services.releases.stage_standings import stage_standings, standing_data

    root, plan = mesh_of(context, [product])
    chosen = product_of(plan, product)
    with opened(root) as ledger, ledger.reading() as connection:
        standings = stage_standings(connection, chosen)
    if as_json:
        print_json([standing_data(standing) for standing in standings])
        return
    for standing in standings:
        needs = ", ".join((*standing.plan.policies, *standing.plan.criteria)) or "nothing but a signature"
        out.print(f"[bold]{standing.plan.stage}[/]{' (now)' if standing.claimed else ''}: {plain(needs)}", soft_wrap=True)
        for signed in standing.signed:
            why = f": {plain(signed.why)}" if signed.why else ""
            out.print(f"  signed off by {plain(signed.person)} on {signed.since:%Y-%m-%d}{why}", soft_wrap=True)
        for missing in standing.missing:
            out.print(f"  missing: {plain(missing)}", soft_wrap=True)
        if not standing.missing:
            out.print("  nothing is missing")


def sign(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    stage: Annotated[str, typer.Argument(help="The stage: proposed, draft, production, deprecated or retired.")],
    why: Annotated[str, typer.Option(help="What was looked at, or why it is taken back.")] = "",
    end: Annotated[bool, typer.Option("--end", help="Take the signature back.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who signs; the name of the user of this computer if left out.")] = None,
) -> None:
    """Sign a product off for a stage of its life, or take that back."""
    from platform_resources.access.grants import NotAllowed
    from platform_resources.services.releases.stage_standings import sign, take_back

    if stage not in get_args(Lifecycle):
        stop(unknown_text("stage", stage, get_args(Lifecycle)), CANNOT_RUN)
    root, plan = mesh_of(context, [product])
    person, chosen = by or you("--by"), product_of(plan, product)
    with opened(root) as ledger, ledger.writing() as connection:
        try:
            (take_back if end else sign)(connection, chosen, stage, person, why, datetime.now(UTC))
        except NotAllowed as error:
            stop(str(error), MISSED)
    out.print(
        f"{plain(person)} has {'taken back the signature of' if end else 'signed off'} {plain(chosen.name)} as {stage}", soft_wrap=True
    )
