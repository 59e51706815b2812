"""The `mesh` command: its global options, and error messages for user mistakes."""

import atexit
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from platform_resources.cli.terminal.deferred_commands import DeferredCommand, DeferredGroup
from platform_resources.settings import LOG

# The module and the name of each command, in the order of `mesh --help`.
COMMANDS = (
    ("starting", "init"),
    ("specs", "validate"),
    ("specs", "plan"),
    ("specs", "prepare"),
    ("specs", "generate"),
    ("specs", "schema"),
    ("specs", "capabilities"),
    ("specs", "settings"),
    ("access.governing", "policies"),
    ("refreshing", "refresh"),
    ("backfilling", "backfill"),
    ("status", "status"),
    ("status", "metrics"),
    ("profiling", "profile"),
    ("access.classifying", "classify"),
    ("access.finding_people", "find-person"),
    ("sources.quarantining", "quarantine"),
    ("sources.repairing", "repairs"),
    ("evaluating", "evaluate"),
    ("judging.letters", "score"),
    ("judging.certifying", "certify"),
    ("judging.backtesting", "backtest"),
    ("incidents", "incidents"),
    ("incidents", "ack"),
    ("incidents", "resolve"),
    ("incidents", "reopen"),
    ("finding.word_search", "search"),
    ("finding.describing", "describe"),
    ("finding.describing", "lineage"),
    ("consuming", "versions"),
    ("consuming", "query"),
    ("consuming", "clone"),
    ("consuming", "report"),
    ("notifying", "channels"),
    ("notifying", "notifications"),
    ("notifying", "subscribe"),
    ("notifying", "unsubscribe"),
    ("notifying", "subscriptions"),
    ("sources.importing", "import-dbt-results"),
    ("sources.importing", "import-results"),
    ("sources.importing", "import-dbt-project"),
    ("standards.exchanging", "export"),
    ("standards.exchanging", "import"),
    ("demonstrating", "demo-history"),
    ("serving", "serve"),
    ("serving", "mcp"),
    ("scheduling", "daemon"),
    ("keeping", "backup"),
    ("keeping", "restore"),
    ("starting", "new"),
    ("monitors", "monitors"),
    ("access.granting", "access"),
    ("access.issuing", "token"),
    ("access.listening", "hook"),
    ("contracts.releasing", "diff"),
    ("contracts.releasing", "release"),
    ("contracts.expecting", "expect"),
    ("contracts.retiring", "retire"),
)


class MeshGroup(DeferredGroup):
    """All commands of `mesh`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: DeferredCommand(module, name) for module, name in COMMANDS}


app = typer.Typer(
    name="mesh",
    cls=MeshGroup,
    help="Data products from YAML and SQL: validate, plan, refresh, watch and query them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

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
    """Set where the mesh is, for every command."""
    context.obj = root


def main() -> None:
    """Run `mesh`; user mistakes give a message and an exit code, never a traceback."""
    if LOG.value(os.environ):  # who asks for help imports nothing
        from platform_resources.redaction.log_lines import write_json_lines

        write_json_lines(os.environ)
    try:
        app()
    except SystemExit as done:
        _leave(done.code if isinstance(done.code, int) else int(done.code is not None))
    except Exception as error:
        _leave(_exit_code(error))


def _exit_code(error: Exception) -> int:
    """Say what is wrong. Imported only now: who asks for help needs none of it."""
    from platform_resources.capabilities.registry import CapabilityInvalid
    from platform_resources.cli.terminal.console import CANNOT_RUN, SPEC_INVALID, Stop, fail
    from platform_resources.cli.terminal.memory import database_trouble
    from platform_resources.publications.version_records import VersionsUnreadable
    from platform_resources.repository.mesh_folders import NoMesh
    from platform_resources.warehouses.engine_errors import EngineError, NotSupported, QueryTooLarge, QueryTooSlow
    from platform_resources.warehouses.limits import SettingInvalid

    match error:
        case Stop():
            return error.code
        case NoMesh() | VersionsUnreadable() | SettingInvalid():
            return fail(str(error), CANNOT_RUN)
        case EngineError() | NotSupported() | QueryTooSlow() | QueryTooLarge():
            return fail(_hidden(str(error)), CANNOT_RUN)
        case CapabilityInvalid():
            return fail(_hidden(str(error)), SPEC_INVALID)
        case OSError():
            return fail(_hidden(_told(error)), CANNOT_RUN)
    trouble = database_trouble(error)
    if trouble:
        return fail(_hidden(trouble), CANNOT_RUN)
    typer.echo(_hidden("".join(traceback.format_exception(error))), err=True, nl=False)
    return 1


def _hidden(text: str) -> str:
    """Whoever raised it may have read any variable of the environment."""
    from platform_resources.redaction.redaction import mask_all

    return mask_all(os.environ)(text)


def _told(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    what = error.strerror or str(error)
    if isinstance(error, (FileNotFoundError, IsADirectoryError)):  # a file that the command was told of: folders of the state are made
        return f"{where}{what}"
    return f"{where}{what}\nstate is kept in MESH_STATE (or the mesh's folder) and DAGSTER_HOME; `mesh` must be able to write there"


def _leave(code: int) -> NoReturn:
    """End the process without taking Python apart piece by piece, which takes a second after a refresh and gains nothing.

    DuckDB's module would also complain then, of objects of its own that are still there. Whoever read the output may be gone.
    """
    atexit._run_exitfuncs()
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
