"""The command `mesh quarantine`: list source rows that broke their contract, and load them once corrected."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from platform_resources.capabilities.support.shares import amount
from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import CANNOT_RUN, FINE, MISSED, Stop, cell, mesh_of, out, print_json, product_of, stop, words
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import InputPlan
from platform_resources.repository.mesh_folders import state_folder
from platform_resources.spec.problems import unknown_text

if TYPE_CHECKING:
    from platform_resources.refresh.sources.quarantine import QuarantinedRow

LIMIT = 20


def quarantine(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    name: Annotated[str | None, typer.Argument(help="Only this input port.", metavar="INPUT")] = None,
    export: Annotated[
        Path | None, typer.Option(help="Write the rows of one input to a new CSV file, to be mended there. They are written whole.")
    ] = None,
    reload: Annotated[Path | None, typer.Option(help="Load the rows of such a file into the input; they leave the quarantine.")] = None,
    as_json: Json = False,
) -> None:
    """Show the rows of sources that broke their contract, with file, row and reason; load them once they are mended.

    Without INPUT also the keys of some rows that break a promise in what was built last, such as rows that are there twice.
    """
    root, plan = mesh_of(context, [product])
    planned = product_of(plan, product)
    ports = _ports(planned, name)
    from platform_resources.refresh.product_locks import ProductBusy

    try:
        if reload is not None:
            _reload(root, planned, _one(ports), reload)
        elif export is not None:
            _export(root, planned, _one(ports), export)
        else:
            _show(root, planned, ports, as_json, with_promises=name is None)
    except ProductBusy as error:
        stop(str(error), CANNOT_RUN)


def _ports(product: ProductPlan, name: str | None) -> tuple[InputPlan, ...]:
    ports = tuple(port for port in product.inputs if port.set_aside)
    if name is not None and name not in {port.name for port in ports}:
        stop(f"{unknown_text('input port with bad_rows: quarantine', name, [port.name for port in ports])}", CANNOT_RUN)
    return tuple(port for port in ports if name in (None, port.name))


def _one(ports: Sequence[InputPlan]) -> InputPlan:
    if len(ports) != 1:
        stop("say of which input port: mesh quarantine PRODUCT INPUT", CANNOT_RUN)
    return ports[0]


def _reload(root: Path, product: ProductPlan, port: InputPlan, path: Path) -> None:
    from platform_resources.services.refreshes.mending import NotMended, mend

    try:
        mended, left = mend(root, state_folder(root), product, port, path, datetime.now(UTC))
    except NotMended as error:
        stop(str(error), CANNOT_RUN)
    words.print(
        f"{mended:,} rows were loaded into {port.name}, {left:,} are in quarantine still; mesh refresh {product.name} publishes them"
    )


def _export(root: Path, product: ProductPlan, port: InputPlan, path: Path) -> None:
    from platform_resources.refresh.sources.quarantine import write_rows
    from platform_resources.services.refreshes.mending import rows_in_quarantine

    if path.exists():
        stop(f"{path} is there already; name a new file", CANNOT_RUN)
    rows = rows_in_quarantine(state_folder(root), product, (port,))[port.name]
    if not rows:
        _none(product, [port])
    write_rows(rows, path)
    words.print(f"{len(rows):,} rows are in {path}; mend them there, then: mesh quarantine {product.name} {port.name} --reload {path}")


def _none(product: ProductPlan, ports: Sequence[InputPlan]) -> NoReturn:
    asked = ", ".join(port.name for port in ports)
    why = f"no row of {asked} is in quarantine" if ports else "no input port says bad_rows: quarantine, so bad rows are refused"
    words.print(f"{product.name}: {why}", style="green" if ports else "")
    raise Stop(FINE)


def _show(root: Path, product: ProductPlan, ports: tuple[InputPlan, ...], as_json: bool, with_promises: bool) -> None:
    from platform_resources.capabilities.registry import installed_registry
    from platform_resources.refresh.sources.kept_contracts import hidden_columns
    from platform_resources.services.refreshes.mending import failing_rows, rows_in_quarantine

    state = state_folder(root)
    rows = rows_in_quarantine(state, product, ports) if ports else {}
    failing = failing_rows(state, product, installed_registry(), datetime.now(UTC)) if with_promises else []
    hidden = {port.name: hidden_columns(product, port) for port in ports}
    if as_json:
        broken = [
            {"promise": result.objective.check.title, "reason": result.judgement.reason, "keys": list(result.sample)} for result in failing
        ]
        print_json([*(_data(port, row, hidden[port]) for port, held in rows.items() for row in held), *broken])
    elif not any(rows.values()) and not failing:
        _none(product, ports)
    else:
        _print(rows, hidden)
        for result in failing:
            out.print(cell(result.sentence), style="bold")
            for key in dict.fromkeys(", ".join(f"{column} {value}" for column, value in row.items()) for row in result.sample):
                out.print(cell(f"  {key}"), soft_wrap=True)
    raise Stop(MISSED if any(rows.values()) or failing else FINE)


def _data(port: str, row: "QuarantinedRow", hidden: set[str]) -> dict[str, object]:
    from platform_resources.refresh.sources.quarantine import shown_delivered

    reasons = [{"column": bad.column, "reason": bad.told(hidden)} for bad in row.bad]
    return {"input": port, "source": row.source, "row": row.number, "reasons": reasons, "delivered": shown_delivered(row, hidden)}


def _print(rows: "Mapping[str, list[QuarantinedRow]]", hidden: Mapping[str, set[str]]) -> None:
    for port, held in rows.items():
        if held:
            out.print(cell(f"{port}: {amount(len(held))} in quarantine"), style="bold")
        for row in held[:LIMIT]:
            reasons = "; ".join(bad.told(hidden[port]) for bad in row.bad)
            out.print(cell(f"  {row.source}, row {row.number}: {reasons}"), soft_wrap=True)
        if len(held) > LIMIT:
            out.print(cell(f"  … and {len(held) - LIMIT:,} more; --json lists all, --export FILE writes them to be mended"), soft_wrap=True)
