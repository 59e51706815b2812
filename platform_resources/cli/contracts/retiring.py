"""The command `mesh retire`: show how a product would be retired, and do it step by step."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, MISSED, mesh_of, out, plain, print_json, product_of, stop, you
from platform_resources.cli.terminal.memory import opened
from platform_resources.repository.mesh_folders import state_folder

if TYPE_CHECKING:
    from platform_resources.services.releases.retirement import RetirementPlan, Retiring

# What each step takes away.
WORDS = {
    "archive": "keep what there is",
    "schedules": "end its refreshes",
    "grants": "end roles, and take what followed from them",
    "listeners": "end subscriptions, hooks and topics; subscribers and hooks are told",
    "ports": "take what is published",
    "storage": "take what is left of its data",
}


def retire(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without it, only show what would be done.")] = False,
    why: Annotated[str, typer.Option(help="Why it is retired: its page says it from then on.")] = "",
    although: Annotated[str, typer.Option(help="Why it is retired although it is read or its notice runs; this is recorded.")] = "",
    by: Annotated[str | None, typer.Option("--by", help="Who retires it; the name of the user of this computer if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Retire a product: archive it, end its schedules and grants, remove its ports and storage; its page stays."""
    from platform_resources.access.grants import NotAllowed
    from platform_resources.ledger.people.grant_store import NoSuchGrant
    from platform_resources.refresh.product_locks import ProductBusy
    from platform_resources.services.migrating.yaml_edits import CannotEdit
    from platform_resources.services.releases.archives import ArchiveDamaged
    from platform_resources.services.releases.retirement import CannotRetire, begin, retirement_plan
    from platform_resources.services.releases.retirement import retire as retired
    from platform_resources.services.standards.exported_products import CannotExport

    with _retiring(context, product) as retiring:
        plan = retirement_plan(retiring)
        if as_json and not apply:
            print_json({**asdict(plan), "obstacles": plan.obstacles})
            return
        print_plan(plan)
        if not apply or (plan.is_done and plan.begun is not None):
            out.print(f"nothing is left to do: {plain(product)} is retired" if plan.is_done else "nothing is changed; --apply does it")
            return
        try:
            begin(retiring, plan, by or you("--by"), why, although)
            for step in retired(retiring):
                out.print(f"done: {step}")
        except NotAllowed as error:
            stop(str(error), MISSED)
        except CannotEdit:
            stop(f"{retiring.product.place.file} is written in a form that is left to a person: write lifecycle: retired there", CANNOT_RUN)
        except (CannotRetire, ArchiveDamaged, CannotExport, ProductBusy, NoSuchGrant) as error:
            stop(f"{error}\nwhat is done stays done; the same command goes on from here", CANNOT_RUN)
    out.print(
        f"{plain(product)} is retired. Commit {plain(retiring.product.place.file)} and deploy it: it keeps the page. Nothing is "
        "refreshed by the former one any more. Its SQL models may go.",
        soft_wrap=True,
    )


@contextmanager
def _retiring(context: typer.Context, product: str) -> "Iterator[Retiring]":
    from platform_resources.services.releases.retirement import Retiring

    root, plan = mesh_of(context)
    with opened(root) as ledger:
        yield Retiring(root, state_folder(root), ledger, plan, product_of(plan, product), datetime.now(UTC))


def print_plan(plan: "RetirementPlan") -> None:
    """Print who still has to do with the product, what stands against it, and the steps."""
    instead = f"; {plain(plan.replacement)} takes its place" if plan.replacement else "; nothing takes its place"
    out.print(f"[bold]{plain(plan.product)}[/]{instead}", soft_wrap=True)
    if plan.begun is not None:
        out.print(f"  {plain(plan.begun.person)} has begun on {plan.begun.since:%Y-%m-%d}: {plain(plan.begun.why)}", soft_wrap=True)
    else:
        out.print(f"  {plain(plan.notice) or 'no notice runs'}", soft_wrap=True)
    for reader in plan.readers:
        out.print(f"  still read by {reader.kind} {plain(reader.name)}: {plain(reader.why)}", soft_wrap=True)
    if not plan.readers:
        out.print("  nobody is known to read it")
    for consumer, version in plan.pins.items():
        out.print(f"  version {plain(version)} is kept for {plain(consumer)}", soft_wrap=True)
    if plan.downstream:
        out.print(f"  made from it, also by way of others: {plain(', '.join(plan.downstream))}", soft_wrap=True)
    for number, (name, left) in enumerate(plan.steps.items(), 1):
        out.print(f"  {number} [bold]{name}[/] ({WORDS[name]}): {plain('; '.join(left)) if left else 'nothing to do'}", soft_wrap=True)
