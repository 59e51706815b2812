"""Commands for consumers: versions, query."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from platform_resources.cli.console import CANNOT_RUN, mesh_of, out, print_json, product_of, stop
from platform_resources.cli.specs import Json
from platform_resources.repository import state_folder
from platform_resources.warehouses.versions import shelf


def versions(context: typer.Context, product: Annotated[str, typer.Argument(help="The product.")], as_json: Json = False) -> None:
    """List the published versions that may be read, newest first, and what each was made from."""
    root, plan = mesh_of(context, [product])
    found = product_of(plan, product)
    shelves = shelf(state_folder(root), found.domain, found.name)
    published, pins = tuple(reversed(shelves.published())), shelves.pins()
    if as_json:
        print_json([{**asdict(each), "pinned_by": [c for c, v in pins.items() if v == each.id]} for each in published])
        return
    table = Table("version", "product version", "published (UTC)", "rows", "made from", "pinned by", box=None, header_style="bold")
    for each in published:
        rows = ", ".join(f"{name} {count:,}" for name, count in {p.data_set: p.rows for p in each.ports}.items())
        made = ", ".join(f"{port}: {_origin(record)}" for port, record in each.inputs.items())
        readers = ", ".join(consumer for consumer, version in pins.items() if version == each.id)
        table.add_row(each.id, each.product_version, each.published_at[:16].replace("T", " "), rows, made, readers)
    out.print(table if published else f"{found.name} has not published a version yet")


def _origin(record: Mapping[str, Any]) -> str:
    """The upstream version, the cursor, the number of files, or the day asked for."""
    count = len(record.get("files", ()))
    files = "1 file" if count == 1 else f"{count} files" if count else None
    return str(record.get("version") or files or record.get("cursor") or record.get("as_of"))


def query(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    sql: Annotated[str, typer.Argument(help="One SELECT over the product's data sets or output ports.")],
    version: Annotated[str | None, typer.Option(help="Read this version (`mesh versions`) instead of the newest.")] = None,
    limit: Annotated[int, typer.Option(help="Show at most so many rows.", min=1)] = 50,
    as_json: Json = False,
) -> None:
    """Query a product's published version, read-only; never waits for a refresh."""
    from platform_resources.warehouses.consuming import NothingPublished, queried
    from platform_resources.warehouses.duckdb import QueryFailed

    root, plan = mesh_of(context, [product])
    try:
        names, rows = queried(state_folder(root), product_of(plan, product), sql, version)
    except (NothingPublished, QueryFailed) as error:
        stop(str(error), CANNOT_RUN)
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    table = Table(*names, box=None, header_style="bold")
    for row in rows[:limit]:
        table.add_row(*("" if value is None else str(value) for value in row))
    out.print(table)
    if len(rows) > limit:
        out.print(f"[dim]{len(rows) - limit:,} more rows; --limit shows more[/]")
