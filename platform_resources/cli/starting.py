"""The commands `mesh init` and `mesh new`: create a mesh, a domain, or a product."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.table import Table

from platform_resources.cli.refreshing import refresh
from platform_resources.cli.terminal.console import CANNOT_RUN, FINE, Stop, cell, plain, stop, words
from platform_resources.plan.plan_text import kept_back_text
from platform_resources.repository.mesh_folders import mesh_root
from platform_resources.repository.placing import InTheWay
from platform_resources.scaffolding.mesh_files import WORKSPACE
from platform_resources.services.starting.new_meshes import CannotBegin, new_domain, new_mesh

if TYPE_CHECKING:
    from platform_resources.scaffolding.product_files import Guesses
    from platform_resources.services.starting.new_products import NewProduct

app = typer.Typer(help="Write a new domain, or a new product from data that is there.", no_args_is_help=True, add_completion=False)
OwnerOption = Annotated[str | None, typer.Option(help="Who answers for it: an e-mail address or team:name; team:DOMAIN if left out.")]


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the mesh; made if it is not there.")],
    domain: Annotated[str | None, typer.Option(help="The name of the first domain; that of the folder if left out.")] = None,
    owner: OwnerOption = None,
) -> None:
    """Create a mesh: a repository that runs, with one domain. No file is overwritten."""
    try:
        files = new_mesh(folder, domain, owner)
    except (CannotBegin, InTheWay) as error:
        _refuse(error)
    _print_written(folder, files)
    words.print(f"next: cd {plain(folder)} && mesh new product --from FILE", highlight=False)


@app.command("domain")
def begin_domain(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Lower case letters, digits and _.")],
    owner: OwnerOption = None,
) -> None:
    """Create a domain: its domain.yaml and its Dagster code location."""
    root = mesh_root(context.obj)
    try:
        files = new_domain(root, name, owner)
    except (CannotBegin, InTheWay) as error:
        _refuse(error)
    _print_written(Path(), files)
    if WORKSPACE not in files:
        place = f"dataproducts/{name}/definitions.py"
        words.print(
            f"{WORKSPACE} is not written as the platform writes it; add {{python_file: {{relative_path: {place}, location_name: {name}}}}}",
            style="yellow",
            markup=False,
            highlight=False,
        )


@app.command("product")
def begin_product(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The product's name; that of the file if left out.")] = None,
    source: Annotated[
        str,
        typer.Option("--from", help="A file or glob (CSV, Parquet, JSON), the URL of a database or REST API, or a dbt model."),
    ] = "",
    table: Annotated[str, typer.Option(help="Of a database: which table or view; schema.table where it is in another schema.")] = "",
    fields: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="A field of the input port, such as records=result.items.")
    ] = None,
    domain: Annotated[str | None, typer.Option(help="Whose product it is; may be left out where the mesh has one domain.")] = None,
    file_format: Annotated[str | None, typer.Option("--format", help="csv, parquet or json, where the name does not say it.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Take all guesses and ask nothing.")] = False,
) -> None:
    """Create a product from existing data, with metadata guessed from them, and publish it. No file is overwritten."""
    from platform_resources.services.starting import new_products
    from platform_resources.services.starting.new_inputs import AskedSource

    if not yes and not sys.stdin.isatty():
        stop("there is no terminal to ask on; --yes takes all guesses", CANNOT_RUN)
    if not source:
        stop("say what it is made from: --from FILE", CANNOT_RUN)
    said = fields_of(fields or []) | ({"format": file_format} if file_format else {})
    asked = AskedSource(source, table, said)
    root = mesh_root(context.obj)
    try:
        model = new_products.unowned(root, asked)
        whose = domain or (model.product.domain if model else _domain(new_products.domains(root), yes))
        called = name or (model.product.name if model else _name(new_products.product_name(asked), yes))
        new = new_products.thought_of(root, whose, called, asked, datetime.now(UTC))
        _print_guesses(new)
        files = new_products.write(root, new if yes else replace(new, guessed=answered(new.guessed)))
    except (CannotBegin, InTheWay) as error:
        _refuse(error, "options are said by --set, such as --set 'options={encoding: cp1252}'" if "options: {" in str(error) else "")
    _print_written(Path(), files)
    for variable in new.variables:
        words.print(
            f"set {variable} where refreshes run: it has the secret of the address, which is written nowhere",
            style="yellow",
            soft_wrap=True,
        )
    raise Stop(_published(context, new.asked.name, new.asked.data_set))


def fields_of(said: Sequence[str]) -> dict[str, Any]:
    """Fields as YAML has them."""
    from platform_resources.services.starting.new_inputs import said_fields

    try:
        return said_fields(said)
    except CannotBegin as error:
        stop(f"--set {error}", CANNOT_RUN)


def _domain(known: Sequence[str], yes: bool) -> str:
    if len(known) == 1:
        return known[0]
    if not known:
        stop("the mesh has no domain yet; one begins with: mesh new domain NAME", CANNOT_RUN)
    if yes:
        stop(f"say whose product it is: --domain {' or '.join(known)}", CANNOT_RUN)
    return str(typer.prompt(f"Whose product is it? ({', '.join(known)})", err=True))


def _name(suggested: str, yes: bool) -> str:
    return suggested if yes else str(typer.prompt("What is it called?", default=suggested or None, err=True))


def _print_guesses(new: "NewProduct") -> None:
    """What was seen of each column. No value is shown: which may be shown is a guess itself."""
    from platform_resources.scaffolding.column_guesses import comma_numbers, unit

    source, guessed = new.source, new.guessed
    words.print(f"{plain(new.asked.source)}: {source.rows:,} rows, {len(source.columns)} columns", highlight=False)
    table = Table("column", "type", "empty", "distinct", "guessed", box=None, header_style="bold")
    for column in source.columns:
        guesses = (unit(column), comma_numbers(column), guessed.classes.get(column.name))
        said = [f"{guess.value} ({guess.confidence})" for guess in guesses if guess is not None]
        distinct = "-" if column.profile.distinct is None else f"{'' if source.exact else '~'}{column.profile.distinct:,}"
        table.add_row(*map(cell, (column.name, column.type, f"{100 * column.nulls / source.rows:.1f} %", distinct, ", ".join(said))))
    words.print(table)
    for what, guess in (("key", guessed.key[1] if guessed.key else None), ("updated_at", guessed.updated_at)):
        if guess is not None:
            words.print(f"{what}: {plain(guess.value)} ({guess.confidence}: {guess.reason})", highlight=False)


def answered(guessed: "Guesses") -> "Guesses":
    """The guesses after the user confirmed or corrected them."""
    key, updated_at, classes = guessed.key, guessed.updated_at, guessed.classes
    if key is not None:
        sure = typer.confirm(f"Does {key[1].value} identify a row?", default=bool(guessed.promised_key), err=True)
        key = (key[0], replace(key[1], confidence="confirmed")) if sure else None
    if updated_at is not None:
        sure = typer.confirm(f"Does {updated_at.value} say when a row was made or changed?", default=True, err=True)
        updated_at = replace(updated_at, confidence="confirmed") if sure else None
    if classes:
        sure = typer.confirm(f"About people, so that values are not shown: {', '.join(classes)}; is it so?", default=True, err=True)
        classes = {name: replace(guess, confidence="confirmed") for name, guess in classes.items()} if sure else {}
    if not typer.confirm("Write it, and publish a first version?", default=True, err=True):
        words.print("nothing was written")
        raise Stop(FINE)
    return replace(guessed, key=key, updated_at=updated_at, classes=classes)


def _published(context: typer.Context, name: str, data_set: str) -> int:
    """Refresh the product, and say where to look; gives the exit code."""
    from platform_resources.dbt.planning import read_plan

    try:
        refresh(context, [name])
    except Stop as ended:
        code = ended.code
    planned = read_plan(mesh_root(context.obj), only=[name])[0].by_name.get(name)
    if planned is not None and (kept_back := kept_back_text(planned)):
        words.print(kept_back, style="yellow", markup=False, highlight=False, soft_wrap=True)
    words.print(f"look at it:    mesh status {name}", highlight=False)
    words.print(f"query it:      mesh query {name} 'select * from {data_set} limit 10'", highlight=False)
    words.print("in a browser:  mesh serve", highlight=False)
    return code


def _refuse(error: Exception, hint: str = "") -> NoReturn:
    stop("\n".join(filter(None, (str(error), hint))), CANNOT_RUN)


def _print_written(folder: Path, files: Sequence[str]) -> None:
    for file in files:
        words.print(f"wrote {plain(folder / file)}", highlight=False)
