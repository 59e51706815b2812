"""The command `mesh status`: how products are now, and how far they can be trusted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
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
    told,
    words,
)
from platform_resources.cli.memory import history
from platform_resources.cli.specs import Json
from platform_resources.planning.plan import MeshPlan, ProductPlan, RejectedProduct
from platform_resources.repository import mesh_root, names_behind, state_folder

if TYPE_CHECKING:
    from platform_resources.objectives.health import ProductHealth
    from platform_resources.orchestration.trust import Trust

STYLES = {"healthy": "green", "unhealthy": "red", "unknown": "yellow", "unpublished": "yellow", "unreadable": "red", "not run": "dim"}
VERDICTS = {"met": "green", "missed": "red", "unknown": "yellow"}


def status(
    context: typer.Context,
    product: Annotated[str | None, typer.Argument(help="Show every promise of this product.")] = None,
    as_json: Json = False,
) -> None:
    """Show how products are now: their newest version, which promises are met, missed or unknown, and how far they can be trusted."""
    root, plan = mesh_of(context, names_behind(mesh_root(context.obj), product) if product else None)
    chosen = [product_of(plan, product)] if product else list(plan.products)
    now = datetime.now(UTC)
    health, trusted, unavailable = _looked_at(root, plan, chosen, now)
    if as_json:
        print_json([{**_health_data(each), **_trust_data(trusted.get(each.product))} for each in health])
    elif product:
        _print_product(health[0])
        if product in trusted:
            _print_trust(trusted[product])
    else:
        found = {name: [stored.incident.name for stored in trust.incidents] for name, trust in trusted.items()}
        print_health(health, plan.rejected, None if unavailable else found)
    if unavailable:
        words.print(unavailable, style="red", markup=False, highlight=False)
        raise Stop(CANNOT_RUN)
    if plan.rejected and not product:
        raise Stop(SPEC_INVALID)
    raise Stop(MISSED if any(each.status not in ("healthy", "not run") for each in health) else FINE)


def mesh_health(root: Path, products: Sequence[ProductPlan], now: datetime) -> "tuple[ProductHealth, ...]":
    from platform_resources.orchestration.health import mesh_health as health

    return health(state_folder(root), products, history(root), now)


def _looked_at(
    root: Path, plan: MeshPlan, products: Sequence[ProductPlan], now: datetime
) -> "tuple[tuple[ProductHealth, ...], Mapping[str, Trust], str]":
    """Health, and how far each product can be trusted; where the ledger cannot be opened health alone, and why."""
    from platform_resources.ledger.database import LedgerUnavailable
    from platform_resources.orchestration.evaluating import looked_at, synced_ledger
    from platform_resources.orchestration.importing import with_imported

    health = mesh_health(root, products, now)
    try:
        with synced_ledger(state_folder(root), history(root), now) as ledger:
            return with_imported(ledger, health, now), looked_at(ledger, state_folder(root), plan, products, now), ""
    except LedgerUnavailable as error:
        return health, {}, str(error)


def _trust_data(trust: "Trust | None") -> dict[str, Any]:
    if trust is None:
        return {}
    from platform_resources.orchestration.trust import trust_data

    return trust_data(trust)


def _print_trust(trust: "Trust") -> None:
    """What Dagster's scorecard shows of the product, as tables."""
    from platform_resources.orchestration.trust import coverage_text, tables

    for title, header, rows in tables(trust):
        table = Table(*header, title=title, title_justify="left", title_style="bold", box=None, header_style="bold")
        for row in rows:
            table.add_row(*(cell(value) for value in row))
        out.print()
        out.print(table)
    out.print()
    out.print(cell(coverage_text(trust)), soft_wrap=True)


def _health_data(health: "ProductHealth") -> dict[str, Any]:
    return {**asdict(health), "tests_and_monitors": len(health.checks)}


def print_health(
    health: "Sequence[ProductHealth]", rejected: "Sequence[RejectedProduct]" = (), incidents: Mapping[str, Sequence[str]] | None = None
) -> None:
    """`incidents` has the names of those that live, by product; left out where they were not looked for."""
    table = Table(box=None, header_style="bold")
    for column in ("product", "health", "published (UTC)", "promises met", "tests", "incidents"):
        table.add_column(column, no_wrap=True)
    table.add_column("what is wrong", overflow="fold")
    for each in health:
        table.add_row(
            f"{told(each.domain)}/[bold]{told(each.product)}[/]",
            f"[{STYLES[each.status]}]{each.status}[/]",
            f"{each.published.published_at:%Y-%m-%d %H:%M}" if each.published else "-",
            f"{each.count('met')} of {len(each.objectives)}" if not each.problem else "-",
            str(len(each.checks) - len(each.objectives)) if not each.problem else "-",
            cell("?" if incidents is None else ", ".join(incidents.get(each.product, ())) or "-"),
            cell("; ".join(_wrong(each))),
        )
    for bad in rejected:
        problems = f"{len(bad.problems)} problem(s): mesh validate {bad.name}"
        table.add_row(f"{told(bad.domain)}/[bold]{told(bad.name)}[/]", "[red]invalid[/]", "", "", "", "", cell(problems))
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
    for check in health.checks:
        kind = check.dimension or check.kind.replace("_", " ")
        at = f"{check.at:%Y-%m-%d %H:%M}" if check.at else "never"
        gate = " [dim](gate)[/]" if check.gate else ""
        table.add_row(f"{told(check.title)}{gate}", cell(kind), f"[{VERDICTS[check.verdict]}]{check.verdict}[/]", cell(check.reason), at)
    if health.checks:
        out.print(table)
