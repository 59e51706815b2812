"""The command `mesh profile`: show the column profile of a published version, and changes since the one before."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, cell, mesh_of, out, plain, print_json, print_table, product_of, stop
from platform_resources.cli.terminal.memory import Sync
from platform_resources.cli.terminal.memory import shown as ledger_shown
from platform_resources.measuring.version_profiles import (
    ColumnProfile,
    Profile,
    bars,
    exactness,
    null_rate,
    profile_data,
    shown,
)

if TYPE_CHECKING:
    from platform_resources.services.showing.profiled_versions import Profiled

HEADER = ("column", "nulls", "distinct", "least to greatest", "mean ± deviation", "median", "most frequent", "distribution")


def profile(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    data_set: Annotated[str | None, typer.Argument(help="Only this data set.")] = None,
    version: Annotated[str | None, typer.Option(help="Another version than the newest; `mesh versions` lists them.")] = None,
    sync: Sync = False,
    as_json: Json = False,
) -> None:
    """Show the column profile of a published version, and changes since the version before."""
    root, plan = mesh_of(context, [product])
    chosen = product_of(plan, product)
    from platform_resources.services.showing.profiled_versions import NoProfile, asked_profiles

    try:
        with ledger_shown(root, datetime.now(UTC), sync, as_json) as ledger, ledger.reading() as connection:
            profiles = asked_profiles(connection, chosen, data_set, version)
    except NoProfile as error:
        stop(str(error), CANNOT_RUN)
    if as_json:
        print_json([_data(profiled) for profiled in profiles])
        return
    for profiled in profiles:
        _print(profiled)


def _data(profiled: "Profiled") -> dict[str, Any]:
    return {
        "data_set": profiled.data_set,
        "version": profiled.now.version,
        "published_at": profiled.now.published_at.isoformat(),
        "rows": profiled.now.profile.rows,
        "exact": profiled.now.profile.exact,
        "columns": profile_data(profiled.now.profile),
        "version_before": profiled.before.version if profiled.before is not None else None,
        "differences": [asdict(difference) for difference in profiled.differences],
    }


def _print(profiled: "Profiled") -> None:
    now = profiled.now.profile
    out.print(f"[bold]{plain(profiled.data_set)}[/], version {plain(profiled.now.version)}: {plain(exactness(now))}", soft_wrap=True)
    print_table(HEADER, [_row(now, column) for column in now.columns])
    if profiled.before is not None:
        out.print(f"[bold]Since version {plain(profiled.before.version)}[/]" + ("" if profiled.differences else ": no column is different"))
    for difference in profiled.differences:
        out.print(cell(f"  {difference.column}: {difference.words}"), soft_wrap=True)
    out.print()


def _row(profile: Profile, column: ColumnProfile) -> tuple[str, ...]:
    rate, about = null_rate(profile, column), "" if profile.exact else "~"
    ends = "not shown" if column.hidden else f"{shown(column.minimum)} to {shown(column.maximum)}" if column.minimum is not None else "-"
    return (
        f"{column.name} ({column.type})",
        "-" if rate is None else f"{rate:.1f} %",
        "-" if column.distinct is None else f"{about}{column.distinct:,}",
        ends,
        "-" if column.mean is None else f"{shown(column.mean)} ± {shown(column.deviation)}",
        shown(column.quantiles[2]) if column.quantiles else "-",
        column.error or ", ".join(f"{value} ({rows:,})" for value, rows in column.top[:3]) or "-",
        bars(column.histogram),
    )
