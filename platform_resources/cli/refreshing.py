"""The command `mesh refresh`: refresh products and show the result."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from platform_resources.cli.evaluating import evaluate_now, judged, print_happened, print_problems
from platform_resources.cli.specs import Json
from platform_resources.cli.status import overview
from platform_resources.cli.terminal.console import (
    CANNOT_RUN,
    FINE,
    MISSED,
    SPEC_INVALID,
    Stop,
    mesh_of,
    plain,
    print_json,
    product_of,
    stop,
    words,
)
from platform_resources.cli.terminal.memory import history
from platform_resources.cli.terminal.status_tables import print_health
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.repository.mesh_folders import state_folder
from platform_resources.spec.product import is_to_run

if TYPE_CHECKING:
    from platform_resources.services.refreshes.outcomes import Refreshed

OUTCOMES = {"published": "green", "unchanged": "yellow", "gate closed": "red", "failed": "red"}
STEPS = ("pull", "build", "audit", "publish", "score")


def refresh(
    context: typer.Context,
    products: Annotated[list[str] | None, typer.Argument(help="Products to refresh, in any order.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Refresh every product.")] = False,
    stale: Annotated[
        bool, typer.Option("--stale", help="Only those whose inputs or spec have changed since their newest version.")
    ] = False,
    as_of: Annotated[str | None, typer.Option(help="The day to deliver up to (2026-01-31); yesterday if left out.")] = None,
    full_refresh: Annotated[
        bool, typer.Option("--full-refresh", help="Build incremental models from scratch, of all products that are refreshed.")
    ] = False,
    replay: Annotated[
        list[str] | None, typer.Option("--replay", metavar="INPUT=CURSOR", help="Read an input again from this value of its cursor on.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Refresh products, upstream first: pull, build, audit, publish, score. Each is one Dagster run.

    Incidents of these products, and of what is made from them, are judged afterwards; with --all or --stale all products, as
    `mesh evaluate` does.
    """
    root, plan = mesh_of(context, None if every or stale else products)
    _day(as_of)
    names = _chosen(root, plan, products or [], every, stale)
    again = _replayed(plan, names, replay or [])
    done = list(_refreshed(root, plan, names, as_of, full_refresh, again, quiet=as_json))
    with words.status("judging promises, incidents and scores") if not as_json else nullcontext():
        evaluations, happened = (
            evaluate_now(root, plan, refreshed=names) if done and (every or stale) else ((), judged(root, names if products else []))
        )
    if as_json:
        print_json([asdict(refreshed) for refreshed in done])
    elif every or len(done) > 1:
        shown = [product for product in plan.products if product.name in names]
        seen = overview(root, plan, shown, datetime.now(UTC))
        print_health(seen.health, seen.trust, seen.clocks, plan.rejected if every else ())
    if not as_json:
        print_happened(happened)
    print_problems(evaluations)
    not_judged = any(evaluation.problems for evaluation in evaluations)
    raise Stop(_exit_code(done) or (CANNOT_RUN if not_judged else FINE) or (SPEC_INVALID if plan.rejected and not products else FINE))


def _exit_code(done: "Sequence[Refreshed]") -> int:
    if any(refreshed.outcome == "failed" for refreshed in done):
        return CANNOT_RUN
    return MISSED if any(refreshed.outcome == "gate closed" for refreshed in done) else FINE


def _day(text: str | None) -> None:
    try:
        date.fromisoformat(text or "2000-01-01")
    except ValueError:
        stop(f'--as-of is "{text}"; write a day such as 2026-01-31', CANNOT_RUN)


def _replayed(plan: MeshPlan, names: list[str], wishes: list[str]) -> dict[str, str]:
    """By input, the cursor to read again from. Ends the command where an input keeps no cursor of its own."""
    from platform_resources.capabilities.protocols import PullExtractor, PullRows, PullShared, Replayer

    wanted = {name: cursor for name, _, cursor in (wish.partition("=") for wish in wishes)}
    if wanted and len(names) != 1:
        stop("--replay is of one product's inputs; name that product alone", CANNOT_RUN)
    inputs = product_of(plan, names[0]).inputs if wanted else ()
    pulls = {port.name: port.pull.rows if isinstance(port.pull, PullShared) else port.pull for port in inputs}
    readers = {name: pull.reader if isinstance(pull, PullRows) else pull for name, pull in pulls.items()}
    able = [
        name for name, reader in readers.items() if isinstance(reader, PullExtractor) or (isinstance(reader, Replayer) and reader.replays)
    ]
    for name, cursor in wanted.items():
        if name not in able or not cursor:
            stop(f"--replay {name}: write INPUT=CURSOR; inputs that keep a cursor: {', '.join(able) or 'none'}", CANNOT_RUN)
    return wanted


def _chosen(root: Path, plan: MeshPlan, products: list[str], every: bool, stale: bool) -> list[str]:
    if bool(products) == (every or stale):
        stop("say what to refresh: names of products, or --all, or --stale", CANNOT_RUN)
    asked = [product_of(plan, name) for name in products]
    if idle := [product for product in asked if not product.runs]:
        stop_idle(root, idle)
    if asked:
        return list(dict.fromkeys(product.name for product in asked))
    unread = [product for product in plan.products if not product.runs and is_to_run(product.info)]
    if unread and not any(product.runs for product in plan.products):
        stop_idle(root, unread)
    from platform_resources.services.refreshes.stale_products import stale_products

    return stale_products(root, plan, datetime.now(UTC)) if stale else [product.name for product in plan.products if product.runs]


def stop_idle(root: Path, idle: "Sequence[ProductPlan]") -> NoReturn:
    """End the command, since these products are not refreshed, and say why."""
    stop("\n".join(f"{product.name} cannot be refreshed: {_why_idle(root, product)}" for product in idle), CANNOT_RUN)


def _why_idle(root: Path, product: ProductPlan) -> str:
    from platform_resources.services.refreshes.retired_products import retired

    if said := retired(state_folder(root), product):
        return f"it {said}"
    if not is_to_run(product.info):
        return f"it is {product.info.lifecycle}; write lifecycle: draft in {product.place.file} to run it"
    folder = conventions.models_folder(product.domain, product.name)
    if any((root / folder).rglob("*.sql")):
        return f"dbt has not read the models in {folder}/; `mesh validate` says why"
    return f"it has no dbt model; write one in {folder}/"


def _refreshed(
    root: Path, plan: MeshPlan, names: list[str], as_of: str | None, full_refresh: bool, replay: "Mapping[str, str]", quiet: bool
) -> "Iterator[Refreshed]":
    if not names:
        if any(product.runs for product in plan.products):
            words.print("nothing to refresh: every product that is loaded is up to date", style="green")
        else:
            words.print("nothing to refresh: no product is loaded", style="yellow")
        return
    with _progress(quiet, len(names) * len(STEPS)) as advance:
        from platform_resources.orchestration.refresh_runs import refresh as run

        for number, done in enumerate(run(root, plan, names, history(root), as_of, advance.step, None, full_refresh, replay), 1):
            advance.finish(done, number * len(STEPS))
            yield done


class _Advance:
    """A progress bar over all steps, and a line for each product that is done."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.task = progress, progress.add_task("starting", total=total)

    def step(self, product: str, step: str) -> None:
        """Show the step that begins."""
        self.progress.update(self.task, description=f"{product}: {step}", advance=1)

    def finish(self, done: "Refreshed", steps: int) -> None:
        """Print the result of a product, and advance the bar."""
        self.progress.update(self.task, completed=steps)
        style = OUTCOMES[done.outcome]
        self.progress.print(f"[{style}]{done.outcome:<11}[/] {plain(done.product)} [dim]{done.version or ''} {done.seconds:.1f} s[/]")
        for text in done.reasons:
            self.progress.print(f"  {text}", style="red", markup=False, highlight=False)
        if done.outcome in ("gate closed", "failed") or done.served is None:
            kept = f"version {done.served} is still served" if done.served else "no version has been published yet"
            self.progress.print(f"  {kept}", style="dim", markup=False, highlight=False)
        for text in done.warnings:
            self.progress.print(f"  {text}", style="yellow", markup=False, highlight=False)


@contextmanager
def _progress(quiet: bool, total: int) -> Iterator[_Advance]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=words, disable=quiet, transient=True) as progress:
        yield _Advance(progress, total)
