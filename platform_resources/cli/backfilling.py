"""The command `mesh backfill`: make the days of a range anew."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, NoReturn
from zoneinfo import ZoneInfo

import typer

from platform_resources.cli.evaluating import judged, print_happened
from platform_resources.cli.refreshing import stop_idle
from platform_resources.cli.terminal.console import (
    CANNOT_RUN,
    FINE,
    MISSED,
    SPEC_INVALID,
    Stop,
    cell,
    counted,
    mesh_of,
    out,
    product_of,
    stop,
    words,
)
from platform_resources.cli.terminal.memory import history
from platform_resources.dbt.planning import read_plan
from platform_resources.plan.plan import ProductPlan

if TYPE_CHECKING:
    from platform_resources.orchestration.backfills import DayRange
    from platform_resources.services.refreshes.outcomes import Refreshed

# Of an earlier one a digit was left out.
_EARLIEST_YEAR = 1000


def backfill(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    first: Annotated[str, typer.Option("--from", help="The first day (2026-01-01).")],
    last: Annotated[str, typer.Option("--to", help="The last day, which is made anew too.")],
    days: Annotated[int, typer.Option(min=1, help="So many days are one run, and one version.")] = 30,
    only_plan: Annotated[bool, typer.Option("--plan", help="Print what would be run, and run nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Also what a former attempt has made.")] = False,
) -> None:
    """Make the days of a range anew, in as many runs as --days says; after a failure the same command goes on where it ended.

    Models of the strategy microbatch make these days again, and extractors are told them.
    """
    root, plan = mesh_of(context, [product])
    planned = product_of(plan, product)
    begin, end = _range(planned, first, last)
    if not planned.runs:
        stop_idle(root, [planned])
    _refuse_undivided(planned)
    from platform_resources.orchestration.backfills import DONE, Attempt, backfilled, last_attempt, ranges

    parts, instance = ranges(begin, end, days), history(root)
    attempt = (None if again else last_attempt(instance, planned, parts)) or Attempt(datetime.now(UTC).isoformat())
    left = [part for part in parts if part not in attempt.made]
    for part in parts:
        out.print(cell(f"{part}  {'to be made' if part in left else 'made before'}"))
    if not left:
        out.print("nothing is left to be made; --again makes all of it anew")
    elif only_plan:
        out.print(cell(_cost(planned, len(left))))
    if only_plan or not left:
        raise Stop(FINE)
    failed: tuple[DayRange, Refreshed] | None = None
    with words.status("starting") as shown:
        for part, done in backfilled(root, plan, planned, parts, attempt, instance, lambda name, step: shown.update(f"{name}: {step}")):
            out.print(cell(f"{part}  {done.outcome} {done.version or ''} {done.seconds:.1f} s"), soft_wrap=True)
            for text in done.warnings:
                words.print(f"  {text}", style="yellow", markup=False, highlight=False)
            failed = None if done.outcome in DONE else (part, done)
    print_happened(judged(root, [planned.name]))
    if failed is not None:
        _stop_failed(planned, *failed, again)
    _name_readers(planned, read_plan(root)[0].products, begin, end)
    raise Stop(FINE)


def _range(product: ProductPlan, first: str, last: str) -> tuple[date, date]:
    """The days as they are asked for."""
    begin, end = _day("--from", first), _day("--to", last)
    if end < begin:
        stop(f"--to {end} is before --from {begin}", SPEC_INVALID)
    if end > (today := datetime.now(ZoneInfo(product.zone)).date()):
        stop(f"--to {end} is still to come: it is {today} in {product.zone}", SPEC_INVALID)
    return begin, end


def _name_readers(product: ProductPlan, products: Iterable[ProductPlan], begin: date, end: date) -> None:
    """By what command the products that read this one by day get these days."""
    for reader in products:
        if reader.by_day and any(port.upstream is not None and port.upstream.product == product.name for port in reader.inputs):
            words.print(
                cell(f"{reader.name} reads {product.name}, and its own refreshes make its newest days alone. These days are made anew by")
            )
            words.print(cell(f"  mesh backfill {reader.name} --from {begin} --to {end}"))


def _day(option: str, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.year < _EARLIEST_YEAR:
        stop(f'{option} is "{text}"; write a day such as 2026-01-31', SPEC_INVALID)
    return day


def _refuse_undivided(product: ProductPlan) -> None:
    why = product.not_by_day
    if not any(data_set.spec.partition_by for data_set in product.data_sets):
        why = "none of its data sets says partition_by, so it is not known by which column its days are told apart"
    if why:
        stop(f"{product.name} cannot be made day by day: {why}; mesh refresh {product.name} makes it as a whole", SPEC_INVALID)


def _cost(product: ProductPlan, runs: int) -> str:
    """What the runs will take away: versions beyond those that are kept, also the one that is read now."""
    kept = max((port.keep_versions for port in product.outputs), default=1)
    gone = f"; {kept} are kept, so none that is there now stays for long. A greater --days makes fewer" if runs >= kept else ""
    return f"{counted(runs, 'run')}, each of which publishes a version{gone}"


def _stop_failed(product: ProductPlan, part: "DayRange", done: "Refreshed", again: bool) -> NoReturn:
    """Say what happened, what stands, and what to do."""
    why, closed = "; ".join(done.reasons), done.outcome == "gate closed"
    what = f"the gate is closed for the days {part} of {product.name}" if closed else f"the days {part} of {product.name} failed"
    kept = f"version {done.served} is still served" if done.served else "no version has been published yet"
    stands = f"; its tables have these days as they were made, so no refresh publishes {product.name} until they are good" if closed else ""
    how = "the same command without --again" if again else "the same command"
    stop(f"{what}: {why}\n{kept}{stands}. When that is mended, {how} goes on with them", MISSED if closed else CANNOT_RUN)
