"""The command `mesh backtest`: test learned thresholds on past readings."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, FINE, Stop, cell, mesh_of, out, print_json, product_of, stop, words
from platform_resources.cli.terminal.memory import Sync, shown
from platform_resources.plan.check_plans import ObjectivePlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.repository.mesh_folders import mesh_root
from platform_resources.repository.mesh_repository import names_behind
from platform_resources.spec.problems import did_you_mean, known_text
from platform_resources.spec.values.clocks import Clock

if TYPE_CHECKING:
    from platform_resources.services.checks.backtests import Backtested


def backtest(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    objective: Annotated[str | None, typer.Argument(help="Only this objective, by its name; otherwise all.")] = None,
    sensitivity: Annotated[
        float | None, typer.Option(min=0.1, max=8, help="So many standard deviations instead of those of the objective.")
    ] = None,
    minimum_effect: Annotated[
        float | None, typer.Option(min=0, max=100, help="Smaller changes, in percent, are never unusual; instead of the objective's.")
    ] = None,
    sync: Sync = False,
    as_json: Json = False,
) -> None:
    """Show when learned thresholds would have alerted in the past, and how many false alerts a month to expect.

    Each reading is judged by those before it, also of objectives that do not learn yet: look before you write `learned: true`.
    """
    from platform_resources.services.checks.backtests import backtests

    root, plan = mesh_of(context, names_behind(mesh_root(context.obj), product))
    planned = product_of(plan, product)
    chosen = _chosen(planned, objective)
    now = datetime.now(UTC)
    with shown(root, now, sync, as_json) as ledger, ledger.reading() as connection:
        tested = list(backtests(connection, planned, chosen, now, sensitivity, minimum_effect))
    if as_json:
        print_json([asdict(backtest) for backtest in tested])
    elif tested:
        _print(tested, Clock(planned.zone, now))
    else:
        words.print(f"no objective of {product} has any numbers in the ledger yet", style="yellow", markup=False, highlight=False)
    raise Stop(FINE)


def _chosen(product: ProductPlan, objective: str | None) -> Sequence[ObjectivePlan]:
    if objective is None:
        return product.objectives
    named = [planned for planned in product.objectives if objective in (planned.check.title, planned.check.name)]
    if not named:
        known = [planned.check.title for planned in product.objectives]
        hint = did_you_mean(objective, known)
        stop(f'no objective "{objective}" of {product.name}; known: {known_text(known)}' + (f"\n{hint}" if hint else ""), CANNOT_RUN)
    return named


def _print(tested: "Sequence[Backtested]", clock: Clock) -> None:
    table = Table(box=None, header_style="bold")
    for column in ("objective", "dimension", "learns", "readings", "since", "judged", "learning for", "alerts", "false alerts in 30 days"):
        table.add_column(column, overflow="fold")
    for backtest in tested:
        expected = "not known yet" if backtest.false_alerts_per_30_days is None else f"{backtest.false_alerts_per_30_days:g}"
        learning = f"{backtest.learning_days:g} days"
        numbers = (
            str(backtest.readings),
            clock.moment(backtest.since),
            str(backtest.judged),
            learning,
            str(len(backtest.alerts)),
            expected,
        )
        table.add_row(cell(backtest.objective), cell(backtest.dimension), _learns(backtest), *numbers)
    out.print(table)
    for backtest in tested:
        _print_alerts(backtest, clock)


def _learns(backtest: "Backtested") -> str:
    """The numbers of what cannot learn are shown too: they may be a promise of another dimension, such as a KPI."""
    if backtest.learned:
        return "yes"
    return "not yet" if backtest.can_learn else "cannot"


def _print_alerts(backtest: "Backtested", clock: Clock) -> None:
    if not backtest.alerts:
        return
    table = Table("when", "would have said", "", title=backtest.objective, title_justify="left", title_style="bold", box=None)
    for alert in backtest.alerts:
        table.add_row(clock.moment(alert.at), cell(alert.reason), "in an incident that was fixed" if alert.in_trouble else "")
    out.print()
    out.print(table)
