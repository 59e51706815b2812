"""The command `mesh backfill`: make the days of a range anew."""

from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from platform_resources.cli.evaluating import judged, print_happened
from platform_resources.cli.terminal.console import CANNOT_RUN, FINE, MISSED, SPEC_INVALID, Stop, cell, mesh_of, out, product_of, stop
from platform_resources.cli.terminal.memory import history
from platform_resources.plan.plan import ProductPlan


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
    begin, end = _day("--from", first), _day("--to", last)
    if end < begin:
        stop(f"--to {end} is before --from {begin}", SPEC_INVALID)
    if end > (today := datetime.now(ZoneInfo(planned.zone)).date()):
        stop(f"--to {end} is still to come: it is {today} in {planned.zone}", SPEC_INVALID)
    _refuse_undivided(planned)
    from platform_resources.orchestration.backfills import DONE, backfilled, done_before, ranges

    parts, instance = ranges(begin, end, days), history(root)
    made = frozenset() if again else done_before(instance, product, parts)
    left = [part for part in parts if part not in made]
    for part in parts:
        out.print(cell(f"{part}  {'made before' if part in made else 'to be made'}"))
    if only_plan or not left:
        out.print(cell(f"{len(left)} runs" if left else "nothing is left to be made; --again makes all of it anew"))
        raise Stop(FINE)
    failed = ""
    for part, done in backfilled(root, plan, product, parts, left, instance, lambda *_: None):
        out.print(cell(f"{part}  {done.outcome} {done.version or ''} {done.seconds:.1f} s"), soft_wrap=True)
        if done.outcome not in DONE:
            failed = f"the days {part} of {product} were not made: {'; '.join(done.reasons)}; the same command goes on with them"
    print_happened(judged(root, [product]))
    if failed:
        stop(failed, MISSED if done.outcome == "gate closed" else CANNOT_RUN)
    raise Stop(FINE)


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        stop(f'{option} is "{text}"; write a day such as 2026-01-31', SPEC_INVALID)


def _refuse_undivided(product: ProductPlan) -> None:
    why = product.not_by_day
    if not any(data_set.spec.partition_by for data_set in product.data_sets):
        why = "none of its data sets says partition_by, so it is not known by which column its days are told apart"
    if why:
        stop(f"{product.name} cannot be made day by day: {why}; mesh refresh {product.name} makes it as a whole", SPEC_INVALID)
