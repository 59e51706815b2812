"""Commands that import results of dbt and other tools, and whole dbt projects."""

import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.table import Table

from platform_resources.cli.evaluating import evaluate_now, print_happened
from platform_resources.cli.evaluating import print_problems as print_evaluation_problems
from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import (
    CANNOT_RUN,
    FINE,
    MISSED,
    SPEC_INVALID,
    Clocks,
    Stop,
    cell,
    counted,
    mesh_of,
    out,
    plain,
    print_json,
    print_problems,
    stop,
    words,
)
from platform_resources.cli.terminal.memory import history
from platform_resources.dbt.imported.artefacts import ArtefactFile, Artefacts, artefacts
from platform_resources.plan.plan import MeshPlan
from platform_resources.repository.mesh_folders import mesh_root, state_folder
from platform_resources.repository.mesh_repository import missing_dbt_files
from platform_resources.services.checks.tool_results import TAKES, TOOLS, tool_results
from platform_resources.spec.problems import Problem, errors, unknown_text
from platform_resources.spec.values.names import is_name, slug

if TYPE_CHECKING:
    from platform_resources.dbt.imported.matching import Refused
    from platform_resources.services.checks.foreign_results import Imported, ImportedTest
    from platform_resources.services.migrating.dbt_migration import ImportedProject

DBT_FILE = "a file that dbt wrote into its folder target/"
COLOURS = {"met": "green", "missed": "red", "unknown": "yellow"}


def import_dbt_results(
    context: typer.Context,
    manifest: Annotated[Path, typer.Option(help="The manifest.json that dbt wrote into target/.")],
    run_results: Annotated[Path, typer.Option(help="The run_results.json of the same dbt test or dbt build.")],
    as_json: Json = False,
) -> None:
    """Import results of dbt tests that ran elsewhere, as checks of their products. Importing twice adds nothing."""
    foreign = artefacts(_file(manifest, "--manifest", DBT_FILE), _file(run_results, "--run-results", DBT_FILE))
    _take(context, foreign, f"{run_results} has no result of a test, so nothing is imported; import after dbt test or dbt build", as_json)


def import_results(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The results of one run, as JSON; - reads them from the standard input.")],
    tool: Annotated[str, typer.Option(help=f"Which form it has: {', '.join(TOOLS)}; docs/operations.md describes the first.")] = "json",
    product: Annotated[str | None, typer.Option(help="Whose results they are where the file does not say so.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Refuse results of other products than this; as often as needed.")] = None,
    as_json: Json = False,
) -> None:
    """Import results of other quality tools, as checks of their products. Importing twice adds nothing."""
    if tool not in TOOLS:
        stop(unknown_text("tool", tool, TOOLS), CANNOT_RUN)
    foreign = tool_results(_file(file, "FILE", f"the results of one run: {TAKES[tool]}"), tool, product)
    what = "the document" if file == Path("-") else file
    _take(context, foreign, f"{what} has no results, so nothing is imported", as_json, only)


def _take(
    context: typer.Context, foreign: Artefacts | tuple[Problem, ...], nothing: str, as_json: bool, only: list[str] | None = None
) -> NoReturn:
    from platform_resources.services.checks.foreign_results import imported_data

    if isinstance(foreign, tuple):
        print_problems(foreign)
        raise Stop(CANNOT_RUN)
    root, plan = mesh_of(context)
    done = _imported(root, plan, foreign, only)
    if as_json:
        print_json(imported_data(done))
    if not foreign.results and not done.removed:
        stop(nothing, CANNOT_RUN)
    if not as_json:
        _print(done, Clocks(plan, datetime.now(UTC)))
    problems, happened = evaluate_now(root, plan, {product.domain for product in plan.products if product.name in done.products})
    if not as_json:
        print_happened(happened)
    print_evaluation_problems(problems)
    if any(evaluation.problems for evaluation in problems):
        stop("the results are imported, but what follows from them is not judged yet; mend that, then `mesh evaluate`", CANNOT_RUN)
    raise Stop(_exit_code(done))


def import_dbt_project(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that has the project's dbt_project.yml.")],
    domain: Annotated[str, typer.Option(help="The product's domain.")],
    product: Annotated[str | None, typer.Option(help="The product's name; left out, made of the folder's.")] = None,
) -> None:
    """Turn a dbt project into a product: write product.yaml, and copy its SQL, YAML, seeds, macros and packages.

    SQL and tests stay as they are, and no file of the mesh is overwritten. What could not be carried over is listed.
    """
    from platform_resources.dbt.outside_project import CannotRead
    from platform_resources.services.migrating.dbt_migration import Destination, WouldOverwrite, import_project

    root = mesh_root(context.obj)
    missing = missing_dbt_files(root)
    if missing:
        print_problems(missing)
        raise Stop(CANNOT_RUN)
    name = product or slug(folder.resolve().name)
    for given, option in ((domain, "--domain"), (name, "--product")):
        if not is_name(given):
            stop(f'{option}: "{given}" is no name; use lower case letters, digits and _', CANNOT_RUN)
    try:
        done = import_project(root, folder, Destination(domain, name))
    except (CannotRead, WouldOverwrite) as error:
        stop(str(error), CANNOT_RUN)
    _print_project(done, name)
    print_problems(done.problems)
    raise Stop(SPEC_INVALID if errors(done.problems) else FINE)


def _print_project(done: "ImportedProject", name: str) -> None:
    out.print(f"{counted(len(done.files), 'file', 'is', 'are')} written:")
    for folder, count in Counter("/".join(PurePosixPath(file).parent.parts[:4]) for file in done.files).items():
        out.print(cell(f"  {folder}: {count}"), soft_wrap=True)
    for title, lines in (
        ("put into dbt's YAML", [f"{edit.file}: {'.'.join(map(str, edit.place))} ({edit.why})" for edit in done.edits]),
        ("a build of it beside the mesh says", done.trial),
        ("not carried over", [f"{left.file}: {left.what}; {left.do}" for left in done.left]),
    ):
        if lines:
            out.print(f"{title}:")
        for line in lines:
            out.print(cell(f"  {line}"), soft_wrap=True)
    out.print(cell(f"look at its product.yaml, then: mesh validate {name}, mesh refresh {name}"), soft_wrap=True)


def _file(path: Path, option: str, takes: str) -> ArtefactFile:
    try:
        return ArtefactFile(str(path), sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes())
    except OSError as error:
        stop(f"{path}: {error.strerror}; {option} takes {takes}", CANNOT_RUN)


def _imported(root: Path, plan: MeshPlan, foreign: Artefacts, only: list[str] | None) -> "Imported":
    from platform_resources.ledger.database import LedgerUnavailable
    from platform_resources.orchestration.events.imported_results import ImportsInDagster
    from platform_resources.services.checks.foreign_results import ImportBusy, import_results

    state = state_folder(root)
    try:
        return import_results(state, plan, foreign, ImportsInDagster(state, history(root)), datetime.now(UTC), only=only)
    except (ImportBusy, LedgerUnavailable) as error:
        stop(str(error), CANNOT_RUN)


def _exit_code(done: "Imported") -> int:
    """By what the files say, so the same when they are imported again. A test that belongs nowhere weighs more than one that fails."""
    if done.refused:
        return CANNOT_RUN
    return MISSED if done.not_met else FINE


def _print(done: "Imported", clocks: Clocks) -> None:
    table = Table("product", "check", "verdict", "why", "tested", "", box=None, header_style="bold")
    for test in done.tests:
        table.add_row(*_row(test, clocks))
    if done.tests:
        out.print(table)
    out.print(f"{_counted(done)}, of the run {plain(done.invocation_id)}")
    for check in done.removed:
        out.print(f"gone from its project: {plain(check.product)}, {plain(check.asset_key)}: {plain(check.name)}", highlight=False)
    _print_refused(done.refused)


def _row(test: "ImportedTest", clocks: Clocks) -> tuple[Any, ...]:
    match, result = test.match, test.result
    asset = "/".join(match.key[1:])
    verdict = f"[{COLOURS[result.verdict]}]{result.verdict}[/]"
    outcome = {"new": "", "known": "[dim]known[/]", "older": "[dim]older than what is known[/]"}[test.outcome]
    return (
        plain(match.product),
        cell(f"{asset}: {match.check}"),
        verdict,
        cell(result.reason),
        clocks.moment(match.product, result.at),
        outcome,
    )


def _counted(done: "Imported") -> str:
    known, older = done.count("known"), done.count("older")
    rest = [f"{known} imported before" if known else "", f"{older} older than what is known" if older else ""]
    return ", ".join([f"{done.count('new')} of {len(done.tests) + len(done.refused)} results are new", *filter(None, rest)])


def _print_refused(refused: "tuple[Refused, ...]") -> None:
    if refused:
        words.print(f"{len(refused)} not imported:", style="red")
    for test in refused:
        words.print(f"  {plain(test.test.unique_id)}: {plain(test.reason)}", style="red", highlight=False)
