"""The command `mesh classify`: guess which columns hold personal data, and write classes into product.yaml."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from platform_resources.cli.specs import Json
from platform_resources.cli.terminal.console import (
    CANNOT_RUN,
    SPEC_INVALID,
    cell,
    counted,
    mesh_of,
    out,
    plain,
    print_json,
    product_of,
    stop,
    words,
)
from platform_resources.publications.consumer_queries import NothingPublished
from platform_resources.repository.mesh_folders import state_folder
from platform_resources.repository.mesh_repository import read_mesh
from platform_resources.spec.data_classes import restriction
from platform_resources.spec.problems import known_text
from platform_resources.warehouses.engine_errors import QueryFailed

if TYPE_CHECKING:
    from platform_resources.services.access.class_evidence import Classified


def classify(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="The product.")],
    write: Annotated[
        bool, typer.Option("--write", help="Write the classes into product.yaml, where it says none of a column itself; look at each.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Guess which columns hold personal data: from their names, and from all values of the newest version. No value is shown."""
    root, plan = mesh_of(context, [product])
    chosen = product_of(plan, product)
    from platform_resources.services.access.class_evidence import guessed_classes, to_write, written_classes
    from platform_resources.services.migrating.yaml_edits import CannotEdit

    file = root / chosen.place.file
    text = file.read_text(encoding="utf-8")
    try:
        columns = guessed_classes(state_folder(root), chosen, text, datetime.now(UTC))
    except (NothingPublished, QueryFailed) as error:
        stop(str(error), CANNOT_RUN)
    governance = read_mesh(root, only=[product]).governance.governance
    less = to_write(columns, lambda name: restriction(name, governance.classes))
    if as_json:
        print_json([_data(column) for column in columns])
    else:
        _print(chosen.name, columns)
    if not write:
        if less and not as_json:
            words.print(
                f"{counted(len(less), 'column', 'is', 'are')} less restricted than that; --write writes it, and a person confirms it",
                style="yellow",
            )
        return
    missing = sorted({str(column.guess.data_class) for column in less} - set(governance.class_names))
    if missing:
        known = known_text(governance.class_names)
        stop(f"governance.yaml has no class {' or '.join(missing)}; known: {known}; write what fits into {chosen.place.file}", SPEC_INVALID)
    try:
        file.write_text(written_classes(text, less), encoding="utf-8")
    except CannotEdit:
        stop(f"{chosen.place.file} is written in a form that cannot be edited here; write the classes by hand", CANNOT_RUN)
    words.print(
        f"{counted(len(less), 'classification', 'is', 'are')} written into {plain(chosen.place.file)}; look at each before it is merged"
    )


def _print(product: str, columns: Sequence["Classified"]) -> None:
    if not columns:
        words.print(f"nothing speaks for personal data in {plain(product)}")
        return
    table = Table("column", "probably", "how sure", "evidence", "product.yaml says", box=None)
    for column in columns:
        guess = column.guess
        now = column.now if column.place else f"{column.now}; it does not name the column"
        table.add_row(
            cell(f"{column.data_set}.{guess.column}"),
            cell(f"{guess.data_class}: {guess.what}"),
            guess.sureness,
            cell(guess.evidence),
            cell(now),
        )
    out.print(table)


def _data(column: "Classified") -> dict[str, Any]:
    guess = column.guess
    return {
        "data_set": column.data_set,
        "column": guess.column,
        "classification": guess.data_class,
        "what": guess.what,
        "confidence": guess.sureness,
        "evidence": guess.evidence,
        "now": column.now,
    }
