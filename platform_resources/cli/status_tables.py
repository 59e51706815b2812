"""Health of products, and how far they can be trusted, as tables on a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from platform_resources.cli.console import cell, out, told
from platform_resources.planning.conventions import check_text
from platform_resources.planning.faults import fault
from platform_resources.planning.plan import RejectedProduct

if TYPE_CHECKING:
    from platform_resources.ledger.acceptances import Acceptance
    from platform_resources.objectives.health import CheckState, ProductHealth
    from platform_resources.orchestration.trust import Trust

STYLES = {
    "healthy": "green",
    "use with care": "yellow",
    "unhealthy": "red",
    "unknown": "yellow",
    "unpublished": "yellow",
    "unreadable": "red",
    "not run": "dim",
}
VERDICTS = {"met": "green", "missed": "red", "unknown": "yellow"}
COLUMNS = ("product", "health", "published (UTC)", "promises met", "tests and\nmonitors", "incidents")


def print_health(health: "Sequence[ProductHealth]", trust: "Mapping[str, Trust]", rejected: Sequence[RejectedProduct] = ()) -> None:
    """One line for each product. What only the ledger knows is `?` of a product that is not in `trust`."""
    table = Table(box=None, header_style="bold")
    for column in COLUMNS:
        table.add_column(column, no_wrap=True)
    table.add_column("what is wrong", overflow="fold")
    for each in health:
        table.add_row(*_row(each, trust.get(each.product)))
    for bad in rejected:
        problems = f"{len(bad.problems)} problem(s): mesh validate {bad.name}"
        table.add_row(f"{told(bad.domain)}/[bold]{told(bad.name)}[/]", "[red]invalid[/]", "", "", "", "", cell(problems))
    out.print(table)


def _row(health: "ProductHealth", trust: "Trust | None") -> tuple[str | Text, ...]:
    return (
        f"{told(health.domain)}/[bold]{told(health.product)}[/]",
        f"[{STYLES[health.status]}]{health.status}[/]",
        f"{_minute(health.published.published_at)}" if health.published else "-",
        f"{health.count('met')} of {len(health.objectives)}" if not health.problem else "-",
        str(trust.coverage.tests_and_monitors) if trust is not None else "?",
        cell("?" if trust is None else ", ".join(stored.incident.name for stored in trust.incidents) or "-"),
        cell("; ".join(_wrong(health, _acceptances(trust)))),
    )


def _acceptances(trust: "Trust | None") -> "Mapping[str, Acceptance]":
    """Who has accepted what, by the name of the check within its product."""
    return {each.acceptance.check: each.acceptance for each in trust.accepted} if trust is not None else {}


def _wrong(health: "ProductHealth", accepted: "Mapping[str, Acceptance]") -> Iterator[str]:
    """Promises missed and inputs that failed by name, with who has accepted them; what was not measured as a number."""
    if health.problem:
        yield health.problem
    for check in health.checks:
        if check.verdict == "missed":
            name = check_text(check.key, check.name)
            by = f" (accepted by {accepted[name].by}, {accepted[name].at:%Y-%m-%d})" if name in accepted else ""
            yield f"{fault(name, check.title)}{by}"
    unknown = sum(check.verdict == "unknown" for check in health.checks)
    if unknown:
        yield f"{unknown} unknown"


def print_product(health: "ProductHealth", trust: "Trust | None") -> None:
    """One product with every check."""
    _print_head(health)
    table = Table("promise", "dimension", "verdict", "why", "checked (UTC)", box=None, header_style="bold")
    accepted = _acceptances(trust)
    for check in health.checks:
        table.add_row(*_check_row(check, accepted.get(check_text(check.key, check.name))))
    if health.checks:
        out.print(table)


def _print_head(health: "ProductHealth") -> None:
    published = health.published
    out.print(f"[bold]{told(health.title)}[/] ({health.domain}/{health.product}) is [{STYLES[health.status]}]{health.status}[/]")
    if health.problem:
        out.print(cell(health.problem), style="red", soft_wrap=True)
    if health.outcome and not health.outcome.startswith("published"):
        out.print(f"[yellow]The last refresh: {told(health.outcome)}[/]")
    if published is not None:
        rows = ", ".join(f"{name} {count:,} rows" for name, count in sorted(published.rows.items()))
        out.print(f"version {published.product_version}, published {_minute(published.published_at)} UTC as {published.version}: {rows}")


def _check_row(check: "CheckState", acceptance: "Acceptance | None") -> tuple[str | Text, ...]:
    kind = check.dimension or check.kind.replace("_", " ")
    gate = " [dim](gate)[/]" if check.gate else ""
    verdict = f"[{VERDICTS[check.verdict]}]{check.verdict}[/]{', accepted' if acceptance is not None else ''}"
    return f"{told(check.title)}{gate}", cell(kind), verdict, cell(check.reason), _minute(check.at) if check.at else "never"


def print_trust(trust: "Trust") -> None:
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


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
