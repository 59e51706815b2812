"""The commands `mesh init` and `mesh new`: a mesh, a domain, or a product with nothing to copy by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from platform_resources.cli.terminal.console import CANNOT_RUN, stop, told, words
from platform_resources.repository.mesh_repository import mesh_root
from platform_resources.repository.placing import InTheWay
from platform_resources.scaffolding.mesh_files import WORKSPACE
from platform_resources.services.starting.new_meshes import CannotBegin, new_domain, new_mesh

app = typer.Typer(help="Write a new domain, or a new product from data that is there.", no_args_is_help=True)
OwnerOption = Annotated[str | None, typer.Option(help="Who answers for it: an e-mail address or team:name; team:DOMAIN if left out.")]


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the mesh; made if it is not there.")],
    domain: Annotated[str | None, typer.Option(help="The name of the first domain; that of the folder if left out.")] = None,
    owner: OwnerOption = None,
) -> None:
    """Begin a mesh: write a repository that runs, with one domain. Nothing that is there is overwritten."""
    try:
        files = new_mesh(folder, domain, owner)
    except (CannotBegin, InTheWay) as error:
        _refuse(error)
    _print_written(folder, files)
    words.print(f"next: cd {told(folder)} && mesh new product --from FILE", highlight=False)


@app.command("domain")
def begin_domain(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Lower case letters, digits and _.")],
    owner: OwnerOption = None,
) -> None:
    """Write a new domain: its domain.yaml and its place in Dagster."""
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


def _refuse(error: Exception) -> NoReturn:
    stop(str(error), CANNOT_RUN)


def _print_written(folder: Path, files: Sequence[str]) -> None:
    for file in files:
        words.print(f"wrote {told(folder / file)}", highlight=False)
