"""The command `mesh search`: find products, and what is in them, by words."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, cell, mesh_of, out, print_json, stop, words
from platform_resources.cli.terminal.memory import opened
from platform_resources.plan.plan import MeshPlan
from platform_resources.repository.mesh_folders import state_folder
from platform_resources.spec.problems import did_you_mean, known_text

if TYPE_CHECKING:
    from platform_resources.services.catalog.search_entries import ProductPart
    from platform_resources.services.catalog.search_results import PartHit, Reason, SearchResult
    from platform_resources.services.catalog.searching import ProductSignals

Of = list[str] | None


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
        health = "retired" if product.info.lifecycle == "retired" else known[product.name].health
        shown = (product.name, product.domain, health, product.info.description or product.title)
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
    return Text.assemble(*((cell(piece.text).plain, "bold" if piece.marked else "") for piece in reason.pieces))
