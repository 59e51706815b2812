"""The commands `mesh hook`: let a machine hear of new versions, list those that do, end one."""

import os
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, mesh_of, out, print_json, print_table, product_of, stop, words, you
from platform_resources.cli.terminal.memory import opened
from platform_resources.repository.mesh_folders import mesh_root, state_folder

app = typer.Typer(help="Machines that hear of new versions: begin, list, end.", no_args_is_help=True, add_completion=False)


@app.command()
def new(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    url: Annotated[str, typer.Argument(help="Where the machine listens: an https address of a host that MESH_HOOK_HOSTS names.")],
    to: Annotated[str | None, typer.Option(help="In whose name; you if left out.")] = None,
) -> None:
    """Let a machine hear of each new version, and print the secret of its calls, this once."""
    from platform_resources.services.access.version_hooks import HookRefused, begin_hook
    from platform_resources.spec.values.grantees import subject

    root, mesh = mesh_of(context)
    try:
        who = subject(to or you("--to"))
        with opened(root) as ledger:
            planned = product_of(mesh, product)
            secret, hook = begin_hook(ledger, state_folder(root), planned, who, url, os.environ, datetime.now(UTC))
    except (HookRefused, ValueError) as error:
        stop(str(error), CANNOT_RUN)
    typer.echo(secret)
    words.print(f"hook {hook.id} of {hook.person}; its secret is not shown again", highlight=False)


@app.command("list")
def list_(
    context: typer.Context,
    of: Annotated[str | None, typer.Option(help="Only those of this person.")] = None,
    as_json: Json = False,
) -> None:
    """List machines: of which product each hears, in whose name, and since when."""
    from platform_resources.ledger.people.subscriptions import VersionHook, hooks_of

    def data(hook: VersionHook) -> dict[str, Any]:
        return {"hook": hook.id, "product": hook.product, "person": hook.person, "url": hook.url, "since": hook.since}

    with opened(mesh_root(context.obj)) as ledger, ledger.reading() as connection:
        hooks = hooks_of(connection, person=of)
    if as_json:
        print_json([data(hook) for hook in hooks])
        return
    rows = [(hook.id, hook.product, hook.person, hook.url, f"{hook.since:%Y-%m-%d}") for hook in hooks]
    print_table(("hook", "product", "person", "address", "since"), rows, "no machine hears of new versions")


@app.command()
def end(context: typer.Context, hook: Annotated[int, typer.Argument(help="Its number, as `mesh hook list` has it.", min=1)]) -> None:
    """The machine hears no more."""
    from platform_resources.ledger.people.subscriptions import end_hook

    with opened(mesh_root(context.obj)) as ledger, ledger.writing() as connection:
        done = end_hook(connection, hook, None, datetime.now(UTC))
    if not done:
        stop(f"there is no hook {hook}; `mesh hook list` lists them", CANNOT_RUN)
    out.print(f"hook {hook} has ended")
