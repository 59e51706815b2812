"""The `mesh` command: its options, and how a user's mistake is told."""

import atexit
import os
import sys
import traceback
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from platform_resources.capabilities.registry import CapabilityInvalid
from platform_resources.cli import (
    backtesting,
    consuming,
    demonstrating,
    evaluating,
    finding,
    importing,
    incidents,
    monitors,
    notifying,
    profiling,
    refreshing,
    serving,
    specs,
    starting,
    status,
)
from platform_resources.cli.terminal.console import CANNOT_RUN, SPEC_INVALID, Stop, fail
from platform_resources.cli.terminal.memory import database_trouble
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.redaction.redaction import mask_all
from platform_resources.repository.mesh_repository import NoMesh
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.protocol import EngineError, NotSupported

app = typer.Typer(
    name="mesh",
    help="Data products from YAML and SQL: validate, plan, refresh, watch and query them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mesh {metadata.version('platform-resources')}")
        raise typer.Exit


@app.callback(
    epilog="Begin with `mesh status`; then `mesh status PRODUCT`, `mesh query PRODUCT 'select …'`, `mesh refresh PRODUCT`.",
)
def options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="Print the platform's version.", is_eager=True, callback=_print_version)
    ] = False,
    root: Annotated[Path | None, typer.Option(help="The folder that has dataproducts/; otherwise the nearest one above.")] = None,
) -> None:
    """Where the mesh is, for every command."""
    context.obj = root


COMMANDS: tuple[Callable[..., Any], ...] = (
    starting.init,
    specs.validate,
    specs.plan,
    specs.prepare,
    specs.generate,
    specs.schema,
    specs.capabilities,
    specs.settings,
    refreshing.refresh,
    status.status,
    profiling.profile,
    evaluating.evaluate,
    backtesting.backtest,
    incidents.incidents,
    incidents.ack,
    incidents.resolve,
    incidents.reopen,
    finding.search,
    finding.describe,
    finding.lineage,
    consuming.versions,
    consuming.query,
    notifying.channels,
    notifying.notifications,
    notifying.subscribe,
    notifying.unsubscribe,
    notifying.subscriptions,
    importing.import_dbt_results,
    importing.import_dbt_project,
    demonstrating.demo_history,
    serving.serve,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(starting.app, name="new")
app.add_typer(monitors.app, name="monitors")


def main() -> None:
    """Run `mesh`; a mistake of the user's gives a message and an exit code, never a traceback."""
    try:
        app()
    except Stop as stop:
        _leave(stop.code)
    except (NoMesh, VersionsUnreadable, SettingInvalid) as error:
        _leave(fail(str(error), CANNOT_RUN))
    except (EngineError, NotSupported) as error:
        _leave(fail(_hidden(str(error)), CANNOT_RUN))
    except CapabilityInvalid as error:
        _leave(fail(_hidden(str(error)), SPEC_INVALID))
    except OSError as error:
        _leave(fail(_hidden(_told(error)), CANNOT_RUN))
    except Exception as error:
        trouble = database_trouble(error)
        if not trouble:
            typer.echo(_hidden(traceback.format_exc()), err=True, nl=False)
            _leave(1)
        _leave(fail(_hidden(trouble), CANNOT_RUN))


def _hidden(text: str) -> str:
    """Whoever raised it may have read any variable of the environment."""
    return mask_all(os.environ)(text)


def _told(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    what = error.strerror or str(error)
    return f"{where}{what}\nstate is kept in MESH_STATE (or the mesh's folder) and DAGSTER_HOME; `mesh` must be able to write there"


def _leave(code: int) -> NoReturn:
    """End the process without taking Python apart piece by piece, which takes a second after a refresh and gains nothing."""
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
