"""Commands for consumers: list versions, query, report problems."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import (
    CANNOT_RUN,
    Clocks,
    cell,
    clocks,
    mesh_of,
    named_values,
    out,
    print_json,
    print_table,
    product_of,
    stop,
    words,
    you,
)
from platform_resources.cli.terminal.memory import opened
from platform_resources.plan.plan import MeshPlan
from platform_resources.publications.published_versions import shelf
from platform_resources.repository.mesh_folders import state_folder
from platform_resources.repository.mesh_repository import target_of

if TYPE_CHECKING:
    from platform_resources.publications.consumer_queries import SeenPort


class Decimals(StrEnum):
    """How decimals are written in JSON: as text or as numbers, which most readers round to 15 digits."""

    TEXT = "text"
    NUMBERS = "numbers"


def versions(context: typer.Context, product: Annotated[str, typer.Argument(help="The product.")], as_json: Json = False) -> None:
    """List the published versions that may be read, newest first, and what each was made from."""
    root, plan = mesh_of(context, [product])
    _tell_rename(plan, product)
    _refuse_target(root)
    shelves = shelf(state_folder(root), _domain_of(plan, state_folder(root), product), product)
    published, pins = tuple(reversed(shelves.published())), shelves.pins()
    if as_json:
        print_json([{**asdict(version), "pinned_by": [c for c, v in pins.items() if v == version.id]} for version in published])
        return
    told_by, shown = clocks(root, [product]), []
    for publication in published:
        rows = ", ".join(f"{name} {count:,}" for name, count in {p.data_set: p.rows for p in publication.ports}.items())
        made = ", ".join(f"{port}: {_origin(record)}" for port, record in publication.inputs.items())
        readers = ", ".join(consumer for consumer, version in pins.items() if version == publication.id)
        at = told_by.minute(product, datetime.fromisoformat(publication.published_at))
        shown.append((publication.id, publication.product_version, at, rows, made, readers))
    headings = ("version", "product version", "published", "rows", "made from", "pinned by")
    print_table(headings, shown, f"{product} has not published a version yet")


def _refuse_target(root: Path) -> None:
    """What a target that is refused would have published is not to be looked for in another warehouse."""
    refused = target_of(root).problem
    if refused is not None:
        stop(str(refused), CANNOT_RUN)


def _tell_rename(plan: MeshPlan, product: str) -> None:
    if product in plan.renamed:
        words.print(f"{product} is called {plan.renamed[product]} now, and is still read under both names", style="yellow", markup=False)


def _domain_of(plan: MeshPlan, state: Path, product: str) -> str:
    """The domain whose folder has the product's versions; the command ends where nothing is known of the product."""
    from platform_resources.services.refreshes.retired_products import retired
    from platform_resources.services.showing.counted_reads import publishing_domain
    from platform_resources.warehouses.engine_errors import QueryFailed

    known = plan.by_name.get(product)
    if known is not None and shelf(state, known.domain, product).latest() is None and (said := retired(state, known)):
        stop(f"{product} {said}", CANNOT_RUN)

    try:
        return publishing_domain(state, plan, product) or product_of(plan, product).domain
    except QueryFailed as error:
        stop(str(error), CANNOT_RUN)


def _origin(record: Mapping[str, Any]) -> str:
    """The upstream version, the cursor, the number of files, or the day asked for."""
    count = len(record.get("files", ()))
    files = "1 file" if count == 1 else f"{count} files" if count else None
    return str(record.get("version") or files or record.get("cursor") or record.get("as_of"))


class Format(StrEnum):
    """The output formats of a query."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def query(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    sql: Annotated[
        str, typer.Argument(help="One SELECT over the product's data sets or output ports; other products as product.data_set.")
    ],
    reader: Annotated[
        str | None, typer.Option("--as", help="Read as this person, team:name or product:name, who gets what was granted.")
    ] = None,
    role: Annotated[str | None, typer.Option(help="Read as this role of the product; with --as, which of the granted roles.")] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(help="An attribute of --role, such as region=EU; repeatable.", metavar="NAME=VALUE")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Read this version (`mesh versions`) instead of the newest.")] = None,
    limit: Annotated[int, typer.Option(help="Show at most so many rows of a table.", min=1)] = 50,
    format_: Annotated[Format, typer.Option("--format", help="A table for people, or all rows as JSON or CSV.")] = Format.TABLE,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="The same as --format csv.")] = False,
    decimals: Annotated[Decimals, typer.Option(help="How JSON has decimals: as text, exactly, or as numbers.")] = Decimals.TEXT,
) -> None:
    """Query published versions, read-only; never waits for a refresh."""
    from platform_resources.publications.consumer_queries import NothingPublished, NotingVersions, everything, queried
    from platform_resources.warehouses.engine_errors import QueryFailed
    from platform_resources.warehouses.limits import SettingInvalid

    wanted = Format.JSON if as_json else Format.CSV if as_csv else format_
    root, plan = mesh_of(context, [product])
    _tell_rename(plan, product)
    _refuse_target(root)
    state = state_folder(root)
    _refuse_unclear(reader, role, attribute or ())
    seen = NotingVersions(_seen(root, state, reader, role, attribute or ()) if reader or role else everything, product, sql)
    try:
        domain = _domain_of(plan, state, product)
        names, rows = queried(state, domain, product, sql, version, as_text=wanted is not Format.JSON, seen=seen)
    except (NothingPublished, QueryFailed, SettingInvalid) as error:
        stop(str(error), CANNOT_RUN)
    _print_answer(names, rows, wanted, limit, decimals)
    if wanted is Format.TABLE:
        told_by = Clocks(plan, datetime.now(UTC))
        for read in seen.read.values():
            as_of = f"data as of {told_by.moment(read.product, read.as_of)}" if read.as_of else "as of when is not known"
            words.print(f"{read.product}: {as_of} (version {read.version})", style="dim", markup=False, highlight=False)
    _count(state, plan, product, sql, reader)


def _print_answer(names: Sequence[str], rows: Sequence[Sequence[Any]], wanted: Format, limit: int, decimals: Decimals) -> None:
    from platform_resources.capabilities.support.file_formats import csv_field

    match wanted:
        case Format.JSON:
            _refuse_equal_names(names)
            print_json([dict(zip(names, (_in_json(value, decimals) for value in row), strict=True)) for row in rows])
        case Format.CSV:
            typer.echo("\n".join(",".join(map(csv_field, row)) for row in (names, *rows)))
        case Format.TABLE:
            _print_rows(names, rows, limit)


def clone(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    into: Annotated[str, typer.Option(help="Where to: a file of DuckDB of your own, or DATABASE.SCHEMA in Snowflake; made if it is new.")],
    reader: Annotated[str | None, typer.Option("--as", help="What this person, team:name or product:name may see, and no more.")] = None,
    role: Annotated[str | None, typer.Option(help="What this role of the product may see; with --as, which of the granted roles.")] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(help="An attribute of --role, such as region=EU; repeatable.", metavar="NAME=VALUE")
    ] = None,
    version: Annotated[str | None, typer.Option(help="This version (`mesh versions`) instead of the newest.")] = None,
) -> None:
    """Copy a product's last good data to where a developer works; what is there of it is replaced, and nothing leads back."""
    from platform_resources.publications.consumer_queries import NothingPublished, cloned, everything
    from platform_resources.warehouses.engine_errors import QueryFailed

    root, plan = mesh_of(context, [product])
    _refuse_target(root)
    _refuse_unclear(reader, role, attribute or ())
    state = state_folder(root)
    seen = _seen(root, state, reader, role, attribute or ()) if reader or role else everything
    try:
        rows = cloned(state, _domain_of(plan, state, product), product, into, version, seen)
    except (NothingPublished, QueryFailed, OSError) as error:
        stop(str(error), CANNOT_RUN)
    for place, count in rows.items():
        out.print(f"{place}: {count:,} rows", highlight=False, markup=False)


def _refuse_unclear(reader: str | None, role: str | None, attributes: Sequence[str]) -> None:
    """What would silently show more than was asked for: nobody's name, such as an unset variable, and attributes without effect."""
    for option, value in (("--as", reader), ("--role", role)):
        if value is not None and not value.strip():
            stop(f"{option} is empty; say who reads, or leave the option out", CANNOT_RUN)
    if attributes and (reader is not None or role is None):
        stop("--attribute goes with --role and without --as: what was granted says its attributes itself", CANNOT_RUN)


def _seen(root: Path, state: Path, name: str | None, role: str | None, attributes: Sequence[str]) -> "SeenPort":
    """What a reader gets of each product, or whoever has a role of the one that is queried."""
    from platform_resources.dbt.planning import read_plan
    from platform_resources.services.access.reader_views import ReaderView, known_grants, named_reader

    whole, given = read_plan(root)[0], named_values("--attribute", attributes)
    reading = named_reader(whole, name, role or "") if name else None
    known, now = known_grants(state, reader=reading), datetime.now(UTC)
    return ReaderView(whole, known, now, reader=reading, preview="" if name else role or "", attributes=given).port


def _in_json(value: Any, decimals: Decimals) -> Any:
    """Decimals within lists and structures too."""
    match value:
        case Decimal() if decimals is Decimals.NUMBERS:
            return int(value) if value == value.to_integral_value() else float(value)
        case Mapping():
            return {key: _in_json(item, decimals) for key, item in value.items()}
        case list() | tuple():
            return [_in_json(item, decimals) for item in value]
        case _:
            return value


def _print_rows(names: Sequence[str], rows: Sequence[Sequence[Any]], limit: int) -> None:
    table = Table(*(Column(cell(name)) for name in names), box=None, header_style="bold")
    for row in rows[:limit]:
        table.add_row(*(cell("" if value is None else value) for value in row))
    out.print(table)
    if len(rows) > limit:
        out.print(f"[dim]{len(rows) - limit:,} more rows; --limit shows more[/]")


def _count(state: Path, plan: MeshPlan, product: str, sql: str, reader: str | None) -> None:
    """What cannot be counted was read all the same."""
    from platform_resources.ledger.database import LedgerUnavailable
    from platform_resources.services.showing.counted_reads import count_read, local_reader

    try:
        count_read(state, plan, product, sql, reader or local_reader(), datetime.now(UTC))
    except LedgerUnavailable as error:
        words.print(f"this read is not counted: {error}", style="yellow", markup=False, highlight=False)


def _refuse_equal_names(names: Sequence[str]) -> None:
    """A JSON object would keep one column of each name, and silently lose the others."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        listed = ", ".join(f'"{name}"' for name in twice)
        stop(f"more than one column is called {listed}; JSON needs different names: select … as …", CANNOT_RUN)


class How(StrEnum):
    """The state of a consumer in a report."""

    WORKS = "works"
    BROKEN = "broken"


def report(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product whose consumer it is.")],
    consumer: Annotated[str, typer.Argument(help="The consumer, as product.yaml names it: crm_dashboard for CRM dashboard.")],
    how: Annotated[How, typer.Argument(help="works or broken.")],
    said: Annotated[str, typer.Option("--note", help="What others should know.")] = "",
    by: Annotated[str | None, typer.Option("--by", help="Who says so; the name of the user of this computer if left out.")] = None,
) -> None:
    """Report whether a product's consumer works, such as a dashboard or notebook; the product's page shows it."""
    from platform_resources.services.catalog.consumer_reports import ReportRefused
    from platform_resources.services.catalog.consumer_reports import report as take_down

    root, plan = mesh_of(context, [product])
    try:
        with opened(root) as ledger:
            answer = take_down(ledger, product_of(plan, product), consumer, how is How.WORKS, said, by or you("--by"), datetime.now(UTC))
    except ReportRefused as error:
        stop(str(error), CANNOT_RUN)
    out.print(f"{consumer} {how}: {answer.said}", highlight=False, markup=False)
