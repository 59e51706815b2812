"""The command `mesh score`: six letters for each product, with criteria, evidence, and advice."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import cell, mesh_of, out, plain, print_json, product_of, words
from platform_resources.cli.terminal.memory import opened, synced
from platform_resources.repository.mesh_folders import state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from platform_resources.ledger.people.score_store import KeptScore
    from platform_resources.plan.plan import MeshPlan, ProductPlan
    from platform_resources.promises.scores import ProductScore

MOST_ADVICE = 5


def score(
    context: typer.Context,
    product: Annotated[str | None, typer.Argument(help="Show every criterion of this product.")] = None,
    run: Annotated[bool, typer.Option("--run", help="ProductScore now, instead of showing what the last evaluation found.")] = False,
    as_json: Json = False,
) -> None:
    """Show how discoverable, addressable, trustworthy, self-describing, interoperable and secure products are."""
    from platform_resources.promises.scores import score_data

    root, plan = mesh_of(context)
    chosen = [product_of(plan, product)] if product else list(plan.products)
    scores = _run(root, plan, chosen) if run else _kept(root, chosen)
    if as_json:
        print_json([{"product": name, "at": kept.at, **score_data(kept.score)} for name, kept in scores.items()])
        return
    if product and product in scores:
        _print_criteria(scores[product].score)
    else:
        _print_all(chosen, scores)


def _kept(root: "Path", products: "Sequence[ProductPlan]") -> "Mapping[str, KeptScore]":
    """What was found of a product when it still ran says nothing of it now."""
    from platform_resources.ledger.people.score_store import kept_scores

    with opened(root) as ledger, ledger.reading() as connection:
        return kept_scores(connection, [product.name for product in products if product.runs])


def _run(root: "Path", plan: "MeshPlan", products: "Sequence[ProductPlan]") -> "Mapping[str, KeptScore]":
    from platform_resources.services.product_status import looked_at
    from platform_resources.services.scoring.score_round import score_products

    now, state, running = datetime.now(UTC), state_folder(root), [product for product in products if product.runs]
    with synced(root, now) as ledger:
        health, trust = looked_at(ledger, state, plan, running, now)
        score_products(ledger, root, state, plan, running, {graded.product: graded for graded in health}, trust, now)
    return _kept(root, products)


def _print_all(products: "Sequence[ProductPlan]", scores: "Mapping[str, KeptScore]") -> None:
    table = Table("product", "score", "badge", box=None)
    letters = next(iter(scores.values())).score.letters if scores else {}
    for letter in letters:
        table.add_column(letter, justify="right")
    for product in products:
        kept = scores.get(product.name)
        if kept is None:
            table.add_row(cell(product.name), "-", "not scored yet" if product.runs else f"{product.info.lifecycle}: not scored")
        else:
            values = (str(kept.score.letters[letter]) for letter in letters)
            table.add_row(cell(product.name), str(kept.score.total), kept.score.badge, *values)
    out.print(table)
    if any(product.runs and product.name not in scores for product in products):
        words.print("mesh evaluate scores all products, and so does mesh score --run", style="dim", markup=False, highlight=False)


def _print_criteria(score: "ProductScore") -> None:
    from platform_resources.promises.scores import capped_text

    out.print(f"[bold]{score.total} of 100[/], badge {score.badge}: the weakest letter is {score.weakest} {score.letters[score.weakest]}")
    if capped_text(score):
        out.print(f"[yellow]{plain(capped_text(score))}[/]")
    for letter, points in score.letters.items():
        out.print(f"\n[bold]{letter} {points}[/]")
        for criterion in score.of_letter(letter):
            evidence = plain(criterion.evidence) if criterion.known else f"[yellow]no evidence:[/] {plain(criterion.evidence)}"
            out.print(f"  {criterion.gained:g} of {criterion.points:g}  {plain(criterion.about)}", soft_wrap=True, highlight=False)
            out.print(f"      [dim]declared:[/] {plain(criterion.declared)}; [dim]seen:[/] {evidence}", soft_wrap=True, highlight=False)
    if score.advice:
        out.print("\n[bold]What would raise it, the most for the least work first[/]")
    for criterion in score.advice[:MOST_ADVICE]:
        out.print(
            f"  +{criterion.points - criterion.gained:g} {criterion.letter}: {plain(criterion.raised_by)}", soft_wrap=True, highlight=False
        )
