"""The commands `mesh expect`: a consumer proposes a promise of a product, and its owner accepts or declines it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from platform_resources.cli.specs import Json
from platform_resources.cli.starting import fields_of
from platform_resources.cli.terminal.console import CANNOT_RUN, mesh_of, out, plain, print_json, product_of, stop, words, you
from platform_resources.cli.terminal.memory import opened
from platform_resources.repository.mesh_folders import state_folder

if TYPE_CHECKING:
    from platform_resources.contracts.expectation import Expectation

app = typer.Typer(
    help="What you expect of a product: propose it, list proposals, accept or decline.", no_args_is_help=True, add_completion=False
)
Name = Annotated[str, typer.Argument(help="The expectation's name, as `mesh expect list` has it.", metavar="EXPECTATION")]
By = Annotated[str | None, typer.Option("--by", help="Who decides; the name of the user of this computer if left out.")]
LEFT_TO_A_PERSON = "{} is written in a form that is left to a person: write the component into it by hand"


@app.command("propose")
def propose_(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    name: Annotated[str, typer.Argument(help="What the promise is called, such as 'Net is there'.")],
    purpose: Annotated[str, typer.Option(help="What you need it for; the owner decides by it.")],
    fields: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="A field of the objective: dimension=completeness, columns=[net], at_least=95."),
    ] = None,
    to: Annotated[str | None, typer.Option("--for", help="Who expects it: a person, team:name or product:name; you if left out.")] = None,
    target: Annotated[Path | None, typer.Option("--out", help="Where the patch is written; printed if left out.")] = None,
) -> None:
    """Propose a promise: it is validated, tried on the newest version, and kept for the owner, with a patch of product.yaml."""
    from platform_resources.publications.consumer_queries import everything
    from platform_resources.services.releases.expectation_trials import trial
    from platform_resources.services.releases.expectations import Wish, checked_wish, drafted, proposed

    root, plan = mesh_of(context)
    wanted, now = product_of(plan, product), datetime.now(UTC)
    with _refusing(wanted.place.file), opened(root) as ledger:
        wish = checked_wish(Wish(wanted.name, name, fields_of(fields or []), to or you("--for"), purpose))
        draft = drafted(root, wanted, wish.component)
        tried = trial(state_folder(root), ledger, draft, everything, now)
        with ledger.writing() as connection:
            expectation = proposed(connection, wish, tried, now)
    words.print(f"{expectation.name}: {plain(wish.title)} {plain(tried)}", soft_wrap=True)
    owners = ", ".join(wanted.owners) or "nobody, for it has no owner"
    words.print(f"decided on by {plain(owners)}: mesh expect accept {expectation.name}, or decline", soft_wrap=True)
    if target is None:
        typer.echo(draft.patch, nl=False)
    else:
        target.write_text(draft.patch, encoding="utf-8")
        words.print(f"{plain(target)} is written; git apply takes it", soft_wrap=True)


@app.command("list")
def list_(
    context: typer.Context,
    product: Annotated[str | None, typer.Argument(help="Only of this product; of all if left out.")] = None,
    as_json: Json = False,
) -> None:
    """List what consumers expect beyond what is promised, and what became of it."""
    from platform_resources.ledger.people.review_store import expectations_of

    root, plan = mesh_of(context)
    with opened(root) as ledger, ledger.reading() as connection:
        known = expectations_of(connection, [product_of(plan, product).name] if product else None)
    if as_json:
        print_json([asdict(expectation) for expectation in known])
        return
    for expectation in known:
        _print(expectation)
    if not known:
        out.print("nobody expects more than is promised")


@app.command()
def accept(context: typer.Context, name: Name, by: By = None) -> None:
    """Accept it: write it into product.yaml, to be committed."""
    from platform_resources.ledger.people.review_store import expectation_named
    from platform_resources.services.releases.expectations import accepted

    root, plan = mesh_of(context)
    with _refusing("product.yaml"), opened(root) as ledger, ledger.writing() as connection:
        expectation = expectation_named(connection, name)
        draft = accepted(root, connection, product_of(plan, expectation.product), expectation, by or you("--by"), datetime.now(UTC))
    out.print(f"{plain(draft.file)} promises it now; commit it, and {plain(expectation.person)} is told", soft_wrap=True)


@app.command()
def decline(
    context: typer.Context,
    name: Name,
    why: Annotated[str, typer.Option(help="The reason; who proposed it is told.")],
    by: By = None,
) -> None:
    """Decline it, with a reason."""
    from platform_resources.ledger.people.review_store import expectation_named
    from platform_resources.services.releases.expectations import declined

    root, plan = mesh_of(context)
    with _refusing("product.yaml"), opened(root) as ledger, ledger.writing() as connection:
        expectation = expectation_named(connection, name)
        declined(connection, product_of(plan, expectation.product), expectation, by or you("--by"), why, datetime.now(UTC))
    out.print(f"{plain(name)} is declined; {plain(expectation.person)} is told", soft_wrap=True)


def _print(expectation: "Expectation") -> None:
    what = f"{expectation.person} expects of {expectation.product}: {expectation.title}"
    out.print(f"[bold]{expectation.name}[/] {plain(what)} ({expectation.outcome})", soft_wrap=True)
    out.print(f"  {plain(expectation.purpose)}", soft_wrap=True)
    out.print(f"  when it was tried: {plain(expectation.tried)}", soft_wrap=True)
    if expectation.decided_at is not None:
        why = f": {expectation.why}" if expectation.why else ""
        out.print(f"  {expectation.outcome} by {plain(expectation.decided_by)}{plain(why)}", soft_wrap=True)


@contextmanager
def _refusing(file: str) -> Iterator[None]:
    """End the command with what was not allowed."""
    from platform_resources.access.grants import NotAllowed
    from platform_resources.ledger.people.review_store import NoSuchExpectation
    from platform_resources.services.migrating.yaml_edits import CannotEdit

    try:
        yield
    except (NotAllowed, NoSuchExpectation) as error:
        stop(str(error), CANNOT_RUN)
    except CannotEdit:
        stop(LEFT_TO_A_PERSON.format(file), CANNOT_RUN)
