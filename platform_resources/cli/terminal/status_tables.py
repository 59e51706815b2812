"""Print health and trust of products as tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from platform_resources.capabilities.judgements import Verdict
from platform_resources.cli.terminal.console import cell, counted, out, plain
from platform_resources.plan.conventions import check_text
from platform_resources.plan.plan import RejectedProduct
from platform_resources.spec.values.clocks import Clock

if TYPE_CHECKING:
    from platform_resources.ledger.people.acceptances import Acceptance
    from platform_resources.promises.grades import CheckState, ProductHealth, Weight
    from platform_resources.services.trust import Trust

STYLES = {
    "healthy": "green",
    "use with care": "yellow",
    "unhealthy": "red",
    "unknown": "yellow",
    "unpublished": "yellow",
    "unreadable": "red",
    "not run": "dim",
    "retired": "dim",
}
VERDICTS = {"met": "green", "missed": "red", "unknown": "yellow"}
COLUMNS = ("product", "health", "published", "promises met", "tests and\nmonitors", "incidents")
# What a person wants to know first comes first.
ORDER: "tuple[tuple[Verdict, Weight], ...]" = (
    ("missed", "breaks"),
    ("missed", "informs"),
    ("unknown", "breaks"),
    ("unknown", "informs"),
    ("missed", "target"),
    ("unknown", "target"),
)


def print_health(
    health: "Sequence[ProductHealth]",
    trust: "Mapping[str, Trust]",
    clocks: Mapping[str, Clock],
    rejected: Sequence[RejectedProduct] = (),
) -> None:
    """Print one line for each product."""
    table = Table(box=None, header_style="bold")
    for column in COLUMNS:
        table.add_column(column, no_wrap=True)
    table.add_column("what is not as promised", overflow="fold")
    for product in health:
        table.add_row(*_row(product, trust[product.product], clocks[product.product]))
    for bad in rejected:
        problems = f"{counted(len(bad.problems), 'problem')}: mesh validate {bad.name}"
        table.add_row(f"{plain(bad.domain)}/[bold]{plain(bad.name)}[/]", "[red]invalid[/]", "", "", "", "", cell(problems))
    out.print(table)


def _row(health: "ProductHealth", trust: "Trust", clock: Clock) -> tuple[str | Text, ...]:
    from platform_resources.promises.grades import IDLE

    return (
        f"{plain(health.domain)}/[bold]{plain(health.product)}[/]",
        f"[{STYLES[health.status]}]{health.status}[/]",
        clock.moment(health.published.published_at) if health.published else "-",
        f"{health.count('met')} of {len(health.objectives)}" if not health.problem and health.status not in IDLE else "-",
        str(trust.coverage.tests_and_monitors),
        cell(", ".join(stored.incident.name for stored in trust.incidents) or "-"),
        cell("; ".join(_wrong(health, _acceptances(trust)))),
    )


def _acceptances(trust: "Trust") -> "Mapping[str, Acceptance]":
    """Who has accepted what, by the name of the check within its product."""
    return {weakness.acceptance.check: weakness.acceptance for weakness in trust.accepted}


def _wrong(health: "ProductHealth", accepted: "Mapping[str, Acceptance]") -> Iterator[str]:
    """What is missed by name, with the columns concerned and who has accepted it; what is not known as numbers."""
    if health.problem or health.status == "retired":
        yield health.problem or health.reason
    for check in sorted(health.checks, key=_place):
        if check.verdict == "missed":
            name = check_text(check.key, check.name)
            by = f"accepted by {accepted[name].by}, {accepted[name].at:%Y-%m-%d}" if name in accepted else ""
            about = "business target" if check.weight == "target" else ", ".join(check.columns)
            notes = "; ".join(filter(None, (about, by)))
            yield f"{check.fault or check.title}{f' ({notes})' if notes else ''}"
    learning = sum(check.verdict == "unknown" and check.learning for check in health.checks)
    unknown = sum(check.verdict == "unknown" for check in health.checks) - learning
    if unknown:
        yield f"{unknown} unknown"
    if learning:
        yield f"{learning} still learning"


def _place(check: "CheckState") -> tuple[int, int]:
    return ORDER.index((check.verdict, check.weight)) if check.verdict != "met" else len(ORDER), check.urgency


def print_product(health: "ProductHealth", trust: "Trust", clock: Clock) -> None:
    """Print one product with every check: missed first, then unknown; inputs that are fine in one line."""
    _print_head(health, clock)
    fine = _fine_inputs(health)
    table = Table("promise", "dimension", "verdict", "why", "checked", box=None, header_style="bold")
    accepted = _acceptances(trust)
    shown = [check for check in sorted(health.checks, key=_place) if check.key not in fine]
    for check in shown:
        table.add_row(*_check_row(check, accepted.get(check_text(check.key, check.name)), clock))
    if shown:
        out.print(table)
    if fine:
        out.print(cell(f" inputs that are fine: {', '.join(key[-1] for key in fine)}"), soft_wrap=True)


def _fine_inputs(health: "ProductHealth") -> tuple[tuple[str, ...], ...]:
    """The inputs of which every check is met."""
    inputs = [check for check in health.checks if check.kind == "input"]
    bad = {check.key for check in inputs if check.verdict != "met"}
    return tuple(dict.fromkeys(check.key for check in inputs if check.key not in bad))


def _print_head(health: "ProductHealth", clock: Clock) -> None:
    published = health.published
    out.print(f"[bold]{plain(health.title)}[/] ({health.domain}/{health.product}): [{STYLES[health.status]}]{health.status}[/]")
    if health.reason:
        out.print(cell(f"  {'note: ' if health.status == 'healthy' else ''}{health.reason}"), style=STYLES[health.status], soft_wrap=True)
    if health.columns:
        out.print(cell(f"  concerned: {', '.join(health.columns)}"), soft_wrap=True)
    if published is not None:
        rows = ", ".join(f"{name} {count:,} row{'' if count == 1 else 's'}" for name, count in sorted(published.rows.items()))
        at = clock.moment(published.published_at)
        out.print(f"version {published.product_version}, published {at} as {published.version}: {rows}", soft_wrap=True)


def _check_row(check: "CheckState", acceptance: "Acceptance | None", clock: Clock) -> tuple[str | Text, ...]:
    kind = check.dimension or check.kind.replace("_", " ")
    mark = " [dim](gate)[/]" if check.gate else " [dim](business target)[/]" if check.target else ""
    verdict = f"[{VERDICTS[check.verdict]}]{check.verdict}[/]{', accepted' if acceptance is not None else ''}"
    return f"{plain(check.title)}{mark}", cell(kind), verdict, cell(check.reason), clock.moment(check.at) if check.at else "never"


def print_trust(trust: "Trust", clock: Clock) -> None:
    """Print the product's trust tables, as on Dagster's scorecard."""
    from platform_resources.services.trust import coverage_text, tables

    for title, header, rows in tables(trust, clock):
        table = Table(*header, title=title, title_justify="left", title_style="bold", box=None, header_style="bold")
        for row in rows:
            table.add_row(*(cell(value) for value in row))
        out.print()
        out.print(table)
    out.print()
    out.print(cell(coverage_text(trust)), soft_wrap=True)
