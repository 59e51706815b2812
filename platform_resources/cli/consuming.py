"""Commands for consumers: versions, query."""

import getpass
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from platform_resources.cli.console import CANNOT_RUN, cell, mesh_of, out, print_json, product_of, stop, words
from platform_resources.cli.specs import Json
from platform_resources.planning.plan import MeshPlan
from platform_resources.repository import state_folder
from platform_resources.warehouses.versions import shelf


def versions(context: typer.Context, product: Annotated[str, typer.Argument(help="The product.")], as_json: Json = False) -> None:
    """List the published versions that may be read, newest first, and what each was made from."""
    root, plan = mesh_of(context, [product])
    shelves = shelf(state_folder(root), _domain_of(plan, state_folder(root), product), product)
    published, pins = tuple(reversed(shelves.published())), shelves.pins()
    if as_json:
        print_json([{**asdict(each), "pinned_by": [c for c, v in pins.items() if v == each.id]} for each in published])
        return
    table = Table("version", "product version", "published (UTC)", "rows", "made from", "pinned by", box=None, header_style="bold")
    for each in published:
        rows = ", ".join(f"{name} {count:,}" for name, count in {p.data_set: p.rows for p in each.ports}.items())
        made = ", ".join(f"{port}: {_origin(record)}" for port, record in each.inputs.items())
        readers = ", ".join(consumer for consumer, version in pins.items() if version == each.id)
        shown = (each.id, each.product_version, each.published_at[:16].replace("T", " "), rows, made, readers)
        table.add_row(*map(cell, shown))
    out.print(table if published else f"{product} has not published a version yet")


def _domain_of(plan: MeshPlan, state: Path, product: str) -> str:
    """The domain whose folder has the product's versions: they can be read also if its spec is broken, or gone."""
    from platform_resources.warehouses.consuming import published_domains

    folders = {Path(rejected.file).parent for rejected in plan.rejected}
    known = {folder.name: folder.parent.name for folder in folders} | {each.name: each.domain for each in plan.products}
    if product in known:
        return known[product]
    domains = published_domains(state, product)
    if len(domains) > 1:
        stop(f"{product} lies in {' and '.join(f'ports/{domain}/' for domain in domains)}; take the wrong one away", CANNOT_RUN)
    return domains[0] if domains else product_of(plan, product).domain


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
        names, rows = queried(state_folder(root), _domain_of(plan, state_folder(root), product), product, sql, version)
    except (NothingPublished, QueryFailed) as error:
        stop(str(error), CANNOT_RUN)
    if as_json:
        _refuse_equal_names(names)
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        _print_rows(names, rows, limit)
    _record(state_folder(root), plan, product, sql)


def _print_rows(names: Sequence[str], rows: Sequence[Sequence[Any]], limit: int) -> None:
    table = Table(*(Column(cell(name)) for name in names), box=None, header_style="bold")
    for row in rows[:limit]:
        table.add_row(*(cell("" if value is None else value) for value in row))
    out.print(table)
    if len(rows) > limit:
        out.print(f"[dim]{len(rows) - limit:,} more rows; --limit shows more[/]")


def _record(state: Path, plan: MeshPlan, product: str, sql: str) -> None:
    """Count the read, so that owners see what is used. What cannot be counted was read all the same."""
    from platform_resources.ledger.database import LedgerUnavailable, ledger_url, open_ledger
    from platform_resources.ledger.reads import record_read

    own = [each for each in plan.products if each.name == product]
    offered = [port.name for each in own for port in each.outputs] + [data_set.name for each in own for data_set in each.data_sets]
    named = [name for name in dict.fromkeys(offered) if re.search(rf"\b{re.escape(name)}\b", sql, re.IGNORECASE)]
    try:
        ledger = open_ledger(ledger_url(state, os.environ))
    except LedgerUnavailable as error:
        words.print(f"this read is not counted: {error}", style="yellow", markup=False, highlight=False)
        return
    with ledger.writing() as connection:
        for name in named or [""]:
            record_read(connection, product, name, _reader(), datetime.now(UTC), "query")
    ledger.close()


def _reader() -> str:
    """Whoever reads; in a container there may be no name for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unnamed"


def _refuse_equal_names(names: Sequence[str]) -> None:
    """A JSON object would keep one column of each name, and silently lose the others."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        listed = ", ".join(f'"{name}"' for name in twice)
        stop(f"more than one column is called {listed}; JSON needs different names: select … as …", CANNOT_RUN)
