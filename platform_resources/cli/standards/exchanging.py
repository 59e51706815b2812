"""The commands `mesh export` and `mesh import`: products as documents of other standards."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from platform_resources.cli.terminal.console import (
    CANNOT_RUN,
    FINE,
    SPEC_INVALID,
    Stop,
    cell,
    counted,
    mesh_of,
    out,
    print_problems,
    product_of,
    stop,
)
from platform_resources.cli.terminal.memory import opened
from platform_resources.repository.mesh_folders import mesh_root, state_folder
from platform_resources.spec.values.names import is_name

if TYPE_CHECKING:
    from platform_resources.capabilities.protocols import ExportEvidence

Format = Annotated[str, typer.Argument(metavar="FORMAT", help="Such as odcs or odps; `mesh capabilities` lists them under exports.")]


def export(
    context: typer.Context,
    form: Format,
    name: Annotated[str, typer.Argument(metavar="PRODUCT")],
    version: Annotated[str, typer.Option(help="The version of the standard, where the format has several.")] = "",
    target: Annotated[Path | None, typer.Option("--out", help="Write into this file, or into a file of this folder.")] = None,
) -> None:
    """Export a product as a document of another standard or tool."""
    from platform_resources.services.showing.column_lineage import mesh_lineage
    from platform_resources.services.standards.exported_products import CannotExport, evidence
    from platform_resources.services.standards.exported_products import export as exported_file

    root, plan = mesh_of(context)
    product = product_of(plan, name)

    def seen() -> "ExportEvidence":
        with opened(root) as ledger, ledger.reading() as connection:
            return evidence(connection, plan, mesh_lineage(state_folder(root), plan), product, datetime.now(UTC))

    try:
        file = exported_file(root, product, form, {"version": version} if version else {}, seen)
    except CannotExport as error:
        stop(str(error), CANNOT_RUN)
    if target is None:
        typer.echo(file.text, nl=not file.text.endswith("\n"))
        return
    path = target / file.name if target.is_dir() else target
    path.write_text(file.text, encoding="utf-8")
    out.print(cell(f"{path} is written"), soft_wrap=True)


def import_(
    context: typer.Context,
    form: Format,
    document: Annotated[Path, typer.Argument(metavar="FILE", help="The document.")],
    product: Annotated[str, typer.Option(help="The product's name; left out, the document's.")] = "",
    domain: Annotated[str, typer.Option(help="The product's domain; left out, the document's.")] = "",
) -> None:
    """Import a document of another standard: write its product.yaml, as proposed. No file is overwritten."""
    from platform_resources.services.standards.imported_products import CannotImport, import_document

    for given, option in ((domain, "--domain"), (product, "--product")):
        if given and not is_name(given):
            stop(f'{option}: "{given}" is no name; use lower case letters, digits and _', CANNOT_RUN)
    try:
        done = import_document(mesh_root(context.obj), form, document, product, domain)
    except (CannotImport, UnicodeDecodeError) as error:
        stop(str(error), CANNOT_RUN)
    print_problems(done.made.problems)
    if not done.file:
        raise Stop(SPEC_INVALID)
    out.print(cell(f"{done.file} is written"), soft_wrap=True)
    for part, count in Counter(place.partition(".")[0] for place in done.made.carried).items():
        out.print(cell(f"  carried along, with no word of the platform's for it: {part}, {counted(count, 'place')}"), soft_wrap=True)
    out.print(cell(f"look at it, then: mesh validate {done.made.name}"), soft_wrap=True)
    raise Stop(FINE)
