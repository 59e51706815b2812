"""Commands that find and explain data: search, describe, lineage."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, cell, mesh_of, out, plain, print_json, product_of, stop, words
from platform_resources.cli.terminal.memory import opened
from platform_resources.cli.terminal.status_tables import print_product
from platform_resources.plan.plan import AgreementPlan, DataSetPlan, MeshPlan, ProductPlan
from platform_resources.repository.mesh_repository import mesh_root, names_behind, state_folder
from platform_resources.spec.data_classes import class_named
from platform_resources.spec.problems import did_you_mean, known_text
from platform_resources.spec.values.clocks import Clock
from platform_resources.spec.values.durations import duration_text

if TYPE_CHECKING:
    from platform_resources.lineage.mesh_lineage import Step
    from platform_resources.services.catalog.product_description import ProductDescription
    from platform_resources.services.catalog.search_entries import ProductPart
    from platform_resources.services.catalog.search_results import PartHit, Reason, SearchResult
    from platform_resources.services.catalog.search_words import Piece
    from platform_resources.services.catalog.searching import ProductSignals

Of = list[str] | None
# Where `mesh serve` listens if nobody says otherwise.
SERVED_AT = "http://127.0.0.1:8080"


def search(
    context: typer.Context,
    text: Annotated[list[str] | None, typer.Argument(help="What to look for; all products if left out.", metavar="WORDS")] = None,
    domain: Annotated[Of, typer.Option(help="Only of this domain; may be given several times, as may all that follow.")] = None,
    archetype: Annotated[Of, typer.Option(help="Only source-aligned, aggregate or consumer-aligned products.")] = None,
    class_: Annotated[Of, typer.Option("--class", help="Only metric or building-block.")] = None,
    lifecycle: Annotated[Of, typer.Option(help="Only in this stage, such as production.")] = None,
    certified: Annotated[Of, typer.Option(help="Only certified products (yes), or others (no).")] = None,
    health: Annotated[Of, typer.Option(help="Only with this health, as `mesh status` says it.")] = None,
    tag: Annotated[Of, typer.Option(help="Only with this tag.")] = None,
    limit: Annotated[int, typer.Option(help="Show at most so many products.", min=1)] = 20,
    as_json: Json = False,
) -> None:
    """Find products, columns and sample queries by words; typing errors are forgiven."""
    from platform_resources.services.catalog.search_index import search_index
    from platform_resources.services.catalog.search_results import result_data
    from platform_resources.services.catalog.searching import FACETS, reputation
    from platform_resources.services.catalog.searching import search as searched

    root, plan = mesh_of(context)
    chosen = dict(zip(FACETS, (values or () for values in (domain, archetype, class_, lifecycle, certified, health, tag)), strict=True))
    index = search_index(plan)
    known = _signals(root, plan)
    result = searched(index, " ".join(text or ()), reputation(index, known), chosen, most=limit)
    _refuse_unknown(result)
    if as_json:
        print_json(result_data(result))
    else:
        _print(result, known)


def _signals(root: Path, plan: MeshPlan) -> "dict[str, ProductSignals]":
    from platform_resources.services.catalog.searching import signals
    from platform_resources.services.product_status import looked_at

    with opened(root) as ledger:
        return signals(*looked_at(ledger, state_folder(root), plan, plan.products, datetime.now(UTC)))


def _refuse_unknown(result: "SearchResult") -> None:
    """A value that no product has would find nothing, and not say why."""
    for facet in result.facets:
        known = [value.value for value in facet.values if value.count]
        for value in facet.values:
            if value.chosen and not value.count and known and not result.product_count:
                hint = did_you_mean(value.value, known)
                message = f'nothing that was found has {facet.name} "{value.value}"; what was found has: {known_text(known)}'
                stop(message + (f"\n{hint}" if hint else ""), CANNOT_RUN)


def _print(result: "SearchResult", known: "dict[str, ProductSignals]") -> None:
    for correction in result.corrections:
        words.print(f'nothing has "{correction.typed}"; searched for "{correction.taken}"', style="yellow", markup=False, highlight=False)
    if not result.every_word:
        words.print("nothing has all of these words; this is what has some of them", style="yellow")
    if not result.products:
        out.print("nothing was found; `mesh search` without words lists every product")
        return
    table = Table("product", "domain", "health", "what it is", "found in", box=None, header_style="bold", expand=True)
    for hit in result.products:
        product = hit.product
        shown = (product.name, product.domain, known[product.name].health, product.info.description or product.title)
        table.add_row(*map(cell, shown), _reasons(hit.reasons))
    out.print(table)
    if result.product_count > len(result.products):
        out.print(f"[dim]{result.product_count - len(result.products):,} more products; --limit shows more[/]")
    if result.parts:
        out.print()
        out.print(_parts(result.parts))


def _parts(hits: "Iterable[PartHit]") -> Table:
    table = Table("data sets, columns and queries", "kind", "of", "what it is", box=None, header_style="bold", expand=True)
    for hit in hits:
        name = hit.part.title if hit.part.kind == "query" else hit.part.name
        table.add_row(cell(name), cell(hit.part.kind), cell(_place(hit.part)), cell(hit.part.about or hit.part.title))
    return table


def _place(part: "ProductPart") -> str:
    return f"{part.product}.{part.data_set}" if part.data_set and part.kind != "data set" else part.product


def _reasons(reasons: "Iterable[Reason]") -> Text:
    """What matched within the product; its own name, title and description stand beside it already."""
    others = [reason for reason in reasons if reason.part is not None or reason.field in ("tags", "owners")]
    lines = [Text.assemble(cell(f"{reason.part.kind if reason.part else reason.field} "), _shown(reason)) for reason in others]
    return Text("\n").join(lines[:3])


def _shown(reason: "Reason") -> Text:
    """A query is known by its title, not by the names in its SQL."""
    if reason.part is not None and reason.part.kind == "query":
        return cell(reason.part.title)
    return _marked(reason.pieces)


def _marked(pieces: "Iterable[Piece]") -> Text:
    return Text.assemble(*((cell(piece.text).plain, "bold" if piece.marked else "") for piece in pieces))


def describe(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    port: Annotated[str | None, typer.Option(help="Show how to read this output port; otherwise the first one.")] = None,
    as_json: Json = False,
) -> None:
    """Show what consumers need to know of a product: purpose, terms, health, promises, columns, and how to read it."""
    from platform_resources.services.catalog.product_description import description_data, product_description
    from platform_resources.services.control_ports.declared_ports import control_port_states
    from platform_resources.services.product_status import looked_at

    # Who reads it, and what it is made from, are counted in the plan.
    root, plan = mesh_of(context, names_behind(mesh_root(context.obj), product), upstream=True)
    chosen, now = product_of(plan, product), datetime.now(UTC)
    if port is not None and port not in (names := [output.name for output in chosen.outputs]):
        hint = did_you_mean(port, names)
        stop(f'{product} has no output port "{port}"; it has: {known_text(names)}' + (f"\n{hint}" if hint else ""), CANNOT_RUN)
    with opened(root) as ledger:
        (health,), trust = looked_at(ledger, state_folder(root), plan, [chosen], now)
        with ledger.reading() as connection:
            states = control_port_states(connection, chosen)
    described = product_description(chosen, health, trust[product], state_folder(root), SERVED_AT, control_ports=states)
    if as_json:
        print_json(description_data(described))
    else:
        _print_description(described, port, Clock(chosen.zone, now))


def _print_description(described: "ProductDescription", port: str | None, clock: Clock) -> None:
    """Print a product's description as a tree."""
    print_product(described.health, described.trust, clock)
    tree = Tree(f"[bold]{plain(described.product.title)}[/] {described.product.info.version} {described.product.info.lifecycle}")
    introduce(described.product, tree)
    out.print()
    out.print(tree)
    for data_set in described.product.data_sets:
        out.print()
        out.print(_columns(data_set))
    for number, access in enumerate(described.access):
        out.print()
        out.print(
            cell(
                f"output port {access.port.name} ({access.port.interface}, {access.port.data_set}): {access.port.description}".rstrip(": ")
            ),
            style="bold",
        )
        if access.port.name == port or (port is None and number == 0):
            for snippet in access.snippets:
                out.print(cell(f"# {snippet.title}{f': {snippet.note}' if snippet.note else ''}"), style="dim", soft_wrap=True)
                out.print(cell(snippet.text.rstrip()), soft_wrap=True, highlight=False)
                out.print()
        else:
            out.print(f"how to read it: mesh describe {plain(described.product.name)} --port {plain(access.port.name)}")
    for control in described.control_ports:
        when = f", {clock.moment(control.taken_at)}" if control.taken_at is not None else ""
        out.print()
        out.print(cell(f"control port {control.title} ({control.kind}, {control.format}) at {control.place}"), style="bold", soft_wrap=True)
        out.print(cell(f"{control.text}{when}"), soft_wrap=True)


def _columns(data_set: DataSetPlan) -> Table:
    title = cell(f"{data_set.name}: {data_set.spec.description}")
    table = Table(title=title, title_justify="left", box=None, header_style="bold")
    for name in ("column", "type", "class", "unit", "identifier", "what it is"):
        table.add_column(name, no_wrap=name != "what it is")
    for column in data_set.spec.columns:
        key = " (key)" if column.name in data_set.spec.primary_key else ""
        shown = (f"{column.name}{key}", column.type, column.classification, column.unit or "", column.identifier or "", column.description)
        table.add_row(*map(cell, shown))
    return table


def introduce(product: ProductPlan, tree: Tree) -> None:
    """Add the product's description for consumers to the printed tree."""
    readers = tree.add("for its readers")
    for line in _lines(product):
        readers.add(line)
    for agreement in product.agreements:
        branch = readers.add(f"agreement {plain(agreement.title)}")
        for line in _terms(agreement):
            branch.add(line)
        if agreement.spec.roles:
            branch.add(f"ask for a role: mesh access request {product.name} --role ROLE --purpose WHY")
            branch.add(f"who has a role now: mesh access who {product.name}")
    for query in product.sample_queries:
        branch = readers.add(f"sample query {plain(query.title)} [dim]of {plain(query.port)}[/]")
        sql = query.sql.strip() if "--" in query.sql else " ".join(query.sql.split())
        branch.add(f"mesh query {product.name} {plain(shlex.quote(sql))}")
    for metric in product.metrics:
        readers.add(f"metric {plain(metric.title)} [dim]{plain(metric.kind)}, of {plain(', '.join(metric.models) or 'no model')}[/]")
    for semantic in product.semantic_models:
        readers.add(f"semantic model {plain(semantic.title)} [dim]{plain(semantic.text)}[/]")


def _lines(product: ProductPlan) -> Iterator[str]:
    info, support = product.info, product.info.support
    from platform_resources.services.catalog.product_description import runbook_place

    said = {
        "what": info.description,
        "purpose": info.purpose,
        "owners": ", ".join(product.owners),
        "support": support.channel,
        "runbook": runbook_place(product),
        "tags": ", ".join(info.tags),
        **{f"term {tag}": text for tag, text in product.terms.items()},
    }
    yield from (f"{word}: {plain(' '.join(text.split()))}" for word, text in said.items() if text)


def _terms(agreement: AgreementPlan) -> Iterator[str]:
    spec = agreement.spec
    said = {
        "what": spec.description,
        "purpose": spec.purpose,
        "terms": spec.terms,
        "approval": "automatic" if spec.approval == "automatic" else "by the owner",
        "duration": duration_text(spec.duration) if spec.duration else "",
        "notice period": duration_text(spec.notice_period) if spec.notice_period else "",
    }
    yield from (f"{word}: {plain(' '.join(text.split()))}" for word, text in said.items() if text)
    for role in spec.roles:
        masks = [f"{column} by {role.masks.get(column, class_named(column).mask).mask}" for column in role.masked]
        columns = [f"{name} {use.mask}" for name, use in role.columns.items()]
        parts = {"masked": masks, "columns": columns, "rows where": [role.rows] if role.rows else []}
        more = "".join(f"; {word}: {', '.join(part)}" for word, part in parts.items() if part)
        yield plain(f"role {role.role} sees {', '.join(role.sees) or 'nothing in the clear'}{more}")
    for granted in spec.grants:
        ending = f" until {granted.until}" if granted.until else ""
        yield plain(f"grants role {granted.role} to {granted.to}{ending}: {granted.purpose}")


def lineage(
    context: typer.Context,
    column: Annotated[str, typer.Argument(help="The column: PRODUCT.COLUMN or PRODUCT.DATA_SET.COLUMN.", metavar="COLUMN")],
    as_json: Json = False,
) -> None:
    """Show the columns that a column is made from, and the columns, products and consumers that a change would affect."""
    from platform_resources.services.showing.column_lineage import NoSuchColumn, lineage_data, lineage_of, mesh_lineage, named_column

    root, plan = mesh_of(context)
    name, _, written = column.partition(".")
    if not written:
        stop(f'"{column}" names no column; write PRODUCT.COLUMN or PRODUCT.DATA_SET.COLUMN', CANNOT_RUN)
    known = mesh_lineage(state_folder(root), plan)
    try:
        lineage = lineage_of(known, plan, named_column(known, product_of(plan, name), written))
    except NoSuchColumn as error:
        stop(str(error), CANNOT_RUN)
    if as_json:
        print_json(lineage_data(lineage))
        return
    _print_steps(f"{lineage.column.text} is made from", lineage.upstream, "nothing that is known")
    out.print()
    _print_steps("A change of it concerns", lineage.downstream, "nothing that is known")
    for product, consumer in lineage.consumers:
        out.print(f"  {plain(consumer.title)}, {plain(consumer.kind)} of {plain(consumer.owner or 'nobody named')}, reads {plain(product)}")
    for place, why in lineage.unknown:
        out.print(f"[yellow]not known of {plain(place)}:[/] {plain(why)}")


def _print_steps(title: str, steps: "Sequence[Step]", otherwise: str) -> None:
    out.print(f"[bold]{plain(title)}[/]" + ("" if steps else f" {otherwise}"))
    table = Table(box=None, show_header=False, padding=(0, 2))
    for step in steps:
        table.add_row(cell(step.column.text), cell(step.kind))
    if steps:
        out.print(table)
