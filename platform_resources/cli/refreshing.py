"""Commands about running: refresh, status."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from platform_resources.cli.console import (
    CANNOT_RUN,
    FINE,
    MISSED,
    SPEC_INVALID,
    Stop,
    cell,
    mesh_of,
    out,
    print_json,
    product_of,
    stop,
    told,
    words,
)
from platform_resources.cli.specs import Json
from platform_resources.planning import conventions
from platform_resources.planning.plan import MeshPlan, ProductPlan, RejectedProduct
from platform_resources.repository import state_folder

if TYPE_CHECKING:
    from dagster import DagsterInstance

    from platform_resources.ledger.standing import Standing
    from platform_resources.objectives.health import ProductHealth
    from platform_resources.orchestration.refreshing import Refreshed

STYLES = {"healthy": "green", "unhealthy": "red", "unknown": "yellow", "unpublished": "yellow", "unreadable": "red", "not run": "dim"}
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
    as_json: Json = False,
) -> None:
    """Refresh products, upstream first: pull, build, audit, publish, score. Each is one Dagster run."""
    root, plan = mesh_of(context, None if every or stale else products)
    _day(as_of)
    names = _chosen(root, plan, products or [], every, stale)
    done = list(_refreshed(root, plan, names, as_of, quiet=as_json))
    if as_json:
        print_json([asdict(each) for each in done])
    elif every or len(done) > 1:
        _print_health(_health(root, [product for product in plan.products if product.name in names]), plan.rejected if every else ())
    raise Stop(_exit_code(done) or (SPEC_INVALID if plan.rejected and not products else FINE))


def _exit_code(done: "Sequence[Refreshed]") -> int:
    if any(each.outcome == "failed" for each in done):
        return CANNOT_RUN
    return MISSED if any(each.outcome == "gate closed" for each in done) else FINE


def _day(text: str | None) -> None:
    try:
        date.fromisoformat(text or "2000-01-01")
    except ValueError:
        stop(f'--as-of is "{text}"; write a day such as 2026-01-31', CANNOT_RUN)


def _chosen(root: Path, plan: MeshPlan, products: list[str], every: bool, stale: bool) -> list[str]:
    if bool(products) == (every or stale):
        stop("say what to refresh: names of products, or --all, or --stale", CANNOT_RUN)
    idle = [product for product in (product_of(plan, name) for name in products) if not product.runs]
    if idle:
        stop("\n".join(f"{product.name} cannot be refreshed: {_why_idle(product)}" for product in idle), CANNOT_RUN)
    if products:
        return list(dict.fromkeys(products))
    from platform_resources.orchestration.refreshing import stale_products

    return stale_products(root, plan, datetime.now(UTC)) if stale else [product.name for product in plan.products if product.runs]


def _why_idle(product: ProductPlan) -> str:
    if product.info.lifecycle in ("proposed", "retired"):
        return f"it is {product.info.lifecycle}; write lifecycle: draft in {product.place.file} to run it"
    return f"it has no dbt model; write one in {conventions.models_folder(product.domain, product.name)}/"


def _refreshed(root: Path, plan: MeshPlan, names: list[str], as_of: str | None, quiet: bool) -> "Iterator[Refreshed]":
    if not names:
        words.print("nothing to refresh: every product is up to date", style="green")
        return
    with _progress(quiet, len(names) * len(STEPS)) as advance:
        from platform_resources.orchestration.refreshing import refresh as run

        for number, done in enumerate(run(root, plan, names, _instance(root), as_of, advance.step), 1):
            advance.finish(done, number * len(STEPS))
            yield done


class _Advance:
    """A progress bar over all steps, and a line for each product that is done."""

    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.task = progress, progress.add_task("starting", total=total)

    def step(self, product: str, step: str) -> None:
        self.progress.update(self.task, description=f"{product}: {step}", advance=1)

    def finish(self, done: "Refreshed", steps: int) -> None:
        self.progress.update(self.task, completed=steps)
        style = OUTCOMES[done.outcome]
        self.progress.print(f"[{style}]{done.outcome:<11}[/] {told(done.product)} [dim]{done.version or ''} {done.seconds:.1f} s[/]")
        for text in done.reasons:
            self.progress.print(f"  {text}", style="red", markup=False, highlight=False)
        for text in done.warnings:
            self.progress.print(f"  {text}", style="yellow", markup=False, highlight=False)


@contextmanager
def _progress(quiet: bool, total: int) -> Iterator[_Advance]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=words, disable=quiet, transient=True) as progress:
        yield _Advance(progress, total)


def status(
    context: typer.Context,
    product: Annotated[str | None, typer.Argument(help="Show every promise of this product.")] = None,
    as_json: Json = False,
) -> None:
    """Show how products are now: their newest version, and which promises are met, missed or unknown."""
    root, plan = mesh_of(context, [product] if product else None)
    chosen = [product_of(plan, product)] if product else list(plan.products)
    health = _health(root, chosen)
    standings = _standings(root, chosen)
    if as_json:
        print_json([{**_health_data(each), "indicators": _indicator_data(standings.get(each.product, ()))} for each in health])
    elif product:
        _print_product(health[0])
        _print_indicators(standings.get(product, ()))
    else:
        _print_health(health, plan.rejected)
    if plan.rejected and not product:
        raise Stop(SPEC_INVALID)
    raise Stop(MISSED if any(each.status not in ("healthy", "not run") for each in health) else FINE)


def _health(root: Path, products: list[ProductPlan]) -> "tuple[ProductHealth, ...]":
    from platform_resources.orchestration.health import mesh_health

    state = state_folder(root)
    return mesh_health(state, products, _instance(root), datetime.now(UTC))


def _instance(root: Path) -> "DagsterInstance":
    """Dagster's history. Raises OSError where it cannot be written: its database would tell that with a traceback."""
    from platform_resources.orchestration.instance import dagster_home, instance

    home = dagster_home(root, state_folder(root))
    for path in (home, *home.glob("*"), *home.glob("*/*.db")):
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return instance(root, state_folder(root))


def _standings(root: Path, products: list[ProductPlan]) -> "dict[str, tuple[Standing, ...]]":
    if not any(product.indicators for product in products):
        return {}
    from platform_resources.ledger.database import LedgerUnavailable
    from platform_resources.orchestration.evaluation import mesh_standings

    state = state_folder(root)
    try:
        return mesh_standings(state, products, _instance(root), datetime.now(UTC))
    except LedgerUnavailable as error:
        stop(str(error), CANNOT_RUN)


def _indicator_data(standings: "Sequence[Standing]") -> list[dict[str, Any]]:
    from platform_resources.orchestration.evaluation import standing_metadata

    return [{"name": each.indicator.check.name, "title": each.indicator.check.title, **standing_metadata(each)} for each in standings]


def _print_indicators(standings: "Sequence[Standing]") -> None:
    if not standings:
        return
    from platform_resources.orchestration.evaluation import standing_text

    colours = {"met": "green", "missed": "red"}
    table = Table("indicator", "state", "how it stands", "next deadline (UTC)", box=None, header_style="bold")
    for each in standings:
        state, deadline = each.attainment.state, each.next_deadline
        shown = f"[{colours.get(state, 'yellow')}]{state}[/]"
        when = f"{deadline:%Y-%m-%d %H:%M}" if deadline else "-"
        table.add_row(cell(each.indicator.check.title), shown, cell(standing_text(each)), when)
    out.print(table)


def _health_data(health: "ProductHealth") -> dict[str, Any]:
    return {**asdict(health), "tests_and_monitors": len(health.checks)}


def _print_health(health: "Sequence[ProductHealth]", rejected: "Sequence[RejectedProduct]" = ()) -> None:
    table = Table(box=None, header_style="bold")
    for column in ("product", "health", "published (UTC)", "promises met", "tests"):
        table.add_column(column, no_wrap=True)
    table.add_column("what is wrong", overflow="fold")
    for each in health:
        table.add_row(
            f"{told(each.domain)}/[bold]{told(each.product)}[/]",
            f"[{STYLES[each.status]}]{each.status}[/]",
            f"{each.published.published_at:%Y-%m-%d %H:%M}" if each.published else "-",
            f"{each.count('met')} of {len(each.objectives)}" if not each.problem else "-",
            str(len(each.checks) - len(each.objectives)) if not each.problem else "-",
            cell("; ".join(_wrong(each))),
        )
    for bad in rejected:
        problems = f"{len(bad.problems)} problem(s): mesh validate {bad.name}"
        table.add_row(f"{told(bad.domain)}/[bold]{told(bad.name)}[/]", "[red]invalid[/]", "", "", "", cell(problems))
    out.print(table)


def _wrong(health: "ProductHealth") -> "Iterator[str]":
    """Promises missed and inputs that failed by name; what was not measured as a number."""
    if health.problem:
        yield health.problem
    missed = [check for check in health.checks if check.verdict == "missed"]
    yield from (check.title if check.kind != "input" else f"not so: {check.title}" for check in missed)
    unknown = sum(check.verdict == "unknown" for check in health.checks)
    if unknown:
        yield f"{unknown} unknown"


def _print_product(health: "ProductHealth") -> None:
    published = health.published
    out.print(f"[bold]{told(health.title)}[/] ({health.domain}/{health.product}) is [{STYLES[health.status]}]{health.status}[/]")
    if health.problem:
        out.print(cell(health.problem), style="red", soft_wrap=True)
    if health.outcome and not health.outcome.startswith("published"):
        out.print(f"[yellow]The last refresh: {told(health.outcome)}[/]")
    if published is not None:
        rows = ", ".join(f"{name} {count:,} rows" for name, count in sorted(published.rows.items()))
        out.print(
            f"version {published.product_version}, published {published.published_at:%Y-%m-%d %H:%M} UTC as {published.version}: {rows}"
        )
    table = Table("promise", "dimension", "verdict", "why", "checked (UTC)", box=None, header_style="bold")
    colours = {"met": "green", "missed": "red", "unknown": "yellow"}
    for check in health.checks:
        kind = check.dimension or check.kind.replace("_", " ")
        at = f"{check.at:%Y-%m-%d %H:%M}" if check.at else "never"
        gate = " [dim](gate)[/]" if check.gate else ""
        table.add_row(f"{told(check.title)}{gate}", cell(kind), f"[{colours[check.verdict]}]{check.verdict}[/]", cell(check.reason), at)
    if health.checks:
        out.print(table)
