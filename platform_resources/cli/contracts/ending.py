"""Commands about ending output ports: list readers, record moves, remove ports."""

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import (
    CANNOT_RUN,
    MISSED,
    SPEC_INVALID,
    mesh_of,
    out,
    plain,
    print_json,
    print_problems,
    product_of,
    stop,
    you,
)
from platform_resources.cli.terminal.memory import opened
from platform_resources.dbt.planning import read_plan
from platform_resources.plan.plan import ProductPlan
from platform_resources.repository.mesh_folders import state_folder

if TYPE_CHECKING:
    from platform_resources.services.releases.ending_ports import EndingPort

_Product = Annotated[str, typer.Argument(help="The product.")]
_Port = Annotated[str, typer.Argument(help="The output port that ends.")]


def ending(
    context: typer.Context,
    product: Annotated[str | None, typer.Argument(help="Only this product; all if left out.")] = None,
    as_json: Json = False,
) -> None:
    """List ending output ports, their remaining readers, and consumers that have moved."""
    from platform_resources.services.releases.ending_ports import ending_data

    root, plan = mesh_of(context)
    endings = port_endings(root, [product_of(plan, product)] if product else plan.products)
    if as_json:
        print_json([{"product": ending.product, **ending_data(ending, with_readers=True)} for ending in endings])
        return
    for ending in endings:
        print_ending(ending)
    if not endings:
        out.print("no output port ends")


def print_ending(ending: "EndingPort") -> None:
    """Print one ending port with its remaining readers."""
    out.print(f"[bold]{plain(ending.product)}.{plain(ending.port)}[/]: {plain(ending.text(datetime.now(UTC).date()))}", soft_wrap=True)
    for reader in ending.readers:
        out.print(f"  still on it: {reader.kind} {plain(reader.name)} {plain(reader.why)}", soft_wrap=True)
    for switch in ending.moved:
        out.print(f"  has moved: {plain(switch.consumer)}, as {plain(switch.person)} has said", soft_wrap=True)
    if not ending.readers:
        out.print(f"  nobody is known to read it: mesh release end {plain(ending.product)} {plain(ending.port)}", soft_wrap=True)


def switched(
    context: typer.Context,
    product: _Product,
    port: _Port,
    consumer: Annotated[str | None, typer.Option(help="Who has moved: a person, a team, a known consumer; you if left out.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who says so; the name of the user of this computer if left out.")] = None,
) -> None:
    """Record that a consumer has moved from an ending port to its replacement."""
    from platform_resources.access.grants import NotAllowed
    from platform_resources.services.releases.ending_ports import switched

    root, plan = mesh_of(context, [product])
    person = by or you("--by")
    with opened(root) as ledger, ledger.writing() as connection:
        try:
            switch = switched(connection, product_of(plan, product), port, consumer or person, person, datetime.now(UTC))
        except NotAllowed as error:
            stop(str(error), CANNOT_RUN)
    out.print(f"{plain(switch.consumer)} does without {plain(product)}.{plain(port)}", soft_wrap=True)


def end(
    context: typer.Context,
    product: _Product,
    port: _Port,
    write: Annotated[bool, typer.Option("--write", help="Change product.yaml; without it, only show what would go.")] = False,
) -> None:
    """Remove an ending port and what only it used, once nobody reads it or its end date has come."""
    from platform_resources.services.migrating.yaml_edits import CannotEdit
    from platform_resources.services.releases.port_removal import removal, remove

    root, plan = mesh_of(context)
    ending = next((candidate for candidate in port_endings(root, [product_of(plan, product)]) if candidate.port == port), None)
    if ending is None:
        ports = [output.name for output in product_of(plan, product).outputs]
        if port not in ports:
            stop(f"{product} has no output port {port}; it has: {', '.join(ports) or 'none'}", CANNOT_RUN)
        stop(f"{product} has no output port {port} that ends; write version, replacement and end_date at it first", CANNOT_RUN)
    if not ending.may_end(datetime.now(UTC).date()):
        print_ending(ending)
        until = f"its end date, {ending.end_date}, has come" if ending.end_date is not None else "it has an end_date which has come"
        stop(f"{product}.{port} stays: end it when these have moved, or when {until}", MISSED)
    try:
        change = removal(root, product, port)
    except CannotEdit:
        stop(f"product.yaml of {product} is written in a form that is left to a person: take output port {port} out of it", CANNOT_RUN)
    out.print(f"{'from' if write else 'would go from'} {plain(change.file)}: {plain(', '.join(change.gone))}", soft_wrap=True)
    if not write:
        out.print("nothing is changed; --write does it")
        return
    problems = remove(root, change)
    print_problems(problems)
    if any(problem.file == change.file for problem in problems):
        stop(f"{change.file} is as it was, since it would have these errors", SPEC_INVALID)
    if problems:
        out.print("these have not moved, and keep what they have last built until they do")
    if change.model:
        out.print(f"of model {plain(change.model)} nothing is promised any more: take it away unless others need it")
    out.print(f"commit it; the next version of {plain(product)} is without the port, whose files go with the versions that hold it")


def port_endings(root: Path, products: Collection[ProductPlan]) -> "tuple[EndingPort, ...]":
    """The ending ports of these products; their readers are found in the whole mesh."""
    from platform_resources.services.releases.ending_ports import ending_ports
    from platform_resources.services.showing.column_lineage import mesh_lineage

    plan, _ = read_plan(root)
    with opened(root) as ledger, ledger.reading() as connection:
        return ending_ports(connection, plan, mesh_lineage(state_folder(root), plan), products, datetime.now(UTC))
