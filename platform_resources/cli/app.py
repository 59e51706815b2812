"""The `mesh` command: its options, and how a user's mistake is told."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from platform_resources.capabilities.registry import CapabilityInvalid
from platform_resources.cli import consuming, refreshing, specs
from platform_resources.cli.console import CANNOT_RUN, SPEC_INVALID, Stop, fail
from platform_resources.repository import NoMesh

app = typer.Typer(
    name="mesh",
    help="Data products from YAML and SQL: validate, plan, refresh, watch and query them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback()
def options(
    context: typer.Context,
    root: Annotated[Path | None, typer.Option(help="The mesh: the folder that has dataproducts/. Otherwise the nearest one above.")] = None,
) -> None:
    context.obj = root


COMMANDS: tuple[Callable[..., Any], ...] = (
    specs.validate,
    specs.plan,
    specs.schema,
    specs.capabilities,
    refreshing.refresh,
    refreshing.status,
    consuming.versions,
    consuming.query,
)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Run `mesh`; a mistake of the user's gives a message and an exit code, never a traceback."""
    try:
        app()
    except Stop as stop:
        sys.exit(stop.code)
    except NoMesh as error:
        sys.exit(fail(str(error), CANNOT_RUN))
    except CapabilityInvalid as error:
        sys.exit(fail(str(error), SPEC_INVALID))
