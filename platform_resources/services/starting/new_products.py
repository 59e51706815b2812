"""Begin a product from files that are there: look at them, guess, and write the product, or refuse and write nothing."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from platform_resources.capabilities.input_ports.file import CAPABILITY, FileInputSettings
from platform_resources.capabilities.registry import installed_registry
from platform_resources.deliveries.arrivals import NotArrived, matching_files
from platform_resources.detection.name_words import without_accents
from platform_resources.plan import conventions
from platform_resources.redaction.redaction import shown_url
from platform_resources.repository.placing import InTheWay, in_the_way, place
from platform_resources.scaffolding.product_files import Guesses, Wanted, data_set_name, guesses, product_files
from platform_resources.scaffolding.source_columns import SourceFacts
from platform_resources.services.starting.new_meshes import CannotBegin
from platform_resources.services.starting.source_facts import looked_at
from platform_resources.spec.problems import did_you_mean, known_text, problems_text
from platform_resources.spec.reading import read_product
from platform_resources.spec.values.names import LONGEST_NAME, fold, is_name, slug
from platform_resources.warehouses.protocol import EngineError, LoadFailed

_ADDRESS = re.compile(r"[A-Za-z][\w+.-]*://|\w+:(?![\\/])\w")
# Of an input that lies beside the mesh or in it; another address means the same on this machine only.
EXTRACTOR = "write an extractor in Python for it (docs: the input port interface `python`), or export it to a file"


@dataclass(frozen=True, slots=True)
class NewProduct:
    """A product that was thought of and not written yet. `names` has what each of its columns is called in the source."""

    asked: Wanted
    source: SourceFacts
    names: Mapping[str, str]
    guessed: Guesses


def domains(root: Path) -> tuple[str, ...]:
    """The domains of a mesh: its folders of products."""
    folders = sorted((root / conventions.PRODUCTS_FOLDER).iterdir())
    return tuple(folder.name for folder in folders if folder.is_dir() and is_name(folder.name))


def product_name(source: str) -> str:
    """What a product is called after its file: `Umsätze 2026.csv.gz` gives umsaetze_2026; empty where nothing is left."""
    return slug(without_accents(Path(source).name.split(".")[0].replace("*", " ").replace("?", " ")))


def thought_of(root: Path, domain: str, name: str, source: str, file_format: str | None, now: datetime) -> NewProduct:
    """Look at the source and guess. Writes nothing. Raises CannotBegin and InTheWay."""
    _check_source(source)
    _check_domain(root, domain)
    _check_name(root, domain, name)
    folder = root / conventions.PRODUCTS_FOLDER / domain / name
    path = _path(root, folder, source)
    fields = {"interface": "file", "path": path} | ({"format": file_format} if file_format else {})
    try:
        # From here the file is looked for by its whole path: the product's folder is not there yet.
        pull = CAPABILITY.pull(FileInputSettings.model_validate({"path": os.path.abspath(source), "format": file_format}))
        found, names = looked_at(pull, root, now)
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise CannotBegin(f"{source}: {said.partition(';')[0]}; say it with --format csv, parquet or json") from error
    except (NotArrived, LoadFailed, EngineError) as error:
        raise CannotBegin(f"{source} cannot be loaded, so nothing can be guessed from it: {error}") from error
    return NewProduct(Wanted(domain, name, fields, Path(source).name), found, names, guesses(found))


def _check_source(source: str) -> None:
    """Only files are read; what looks like anything else is told apart from a file that is not there."""
    if _ADDRESS.match(source) and not matching_files(source, Path.cwd()):
        shown = shown_url(source) if "://" in source else source
        raise CannotBegin(f"{shown}: a new product is made from files (CSV, Parquet, JSON), by path or glob; of anything else, {EXTRACTOR}")
    if not matching_files(os.path.abspath(source), Path("/")):
        raise CannotBegin(f"no file matches {source}; give a path or a glob in quotes, such as 'landing/*.csv'")


def _check_domain(root: Path, domain: str) -> None:
    known = domains(root)
    if domain not in known:
        hint = did_you_mean(domain, known)
        raise CannotBegin(f'no domain "{domain}"; known: {known_text(known)}\n{hint or f"a new one begins with: mesh new domain {domain}"}')


def _check_name(root: Path, domain: str, name: str) -> None:
    if not is_name(name) or len(name) > LONGEST_NAME - len("_source"):
        raise CannotBegin(f'"{name}" is no name of a product: write lower case letters, digits and _, beginning with a letter')
    if name in conventions.RESERVED_NAMES:
        raise CannotBegin(f'a product may not be called "{name}"; reserved: {known_text(conventions.RESERVED_NAMES)}')
    taken = [folder for folder in (root / conventions.PRODUCTS_FOLDER).glob("*/*/") if fold(folder.name) == fold(name)]
    models = [path for path in (root / conventions.DBT_FOLDER / "models").rglob("*.sql") if fold(path.stem) == fold(data_set_name(name))]
    there = [*_there(root, domain, name), *(at for folder in taken for at in in_the_way(root, folder.relative_to(root).as_posix()))]
    there += [model.relative_to(root).as_posix() for model in models]
    if there:
        raise InTheWay(tuple(dict.fromkeys(there)))


def _folders(domain: str, name: str) -> tuple[str, str]:
    """In the order in which they appear: a product is there with its document."""
    return conventions.models_folder(domain, name), f"{conventions.PRODUCTS_FOLDER}/{domain}/{name}"


def _there(root: Path, domain: str, name: str) -> list[str]:
    return [path for folder in _folders(domain, name) for path in in_the_way(root, folder)]


def _path(root: Path, folder: Path, source: str) -> str:
    """As product.yaml says it: from the product's folder where the file lies in the mesh, else from the machine's root."""
    absolute = Path(os.path.abspath(source))
    return os.path.relpath(absolute, folder) if absolute.is_relative_to(root) else str(absolute)


def write(root: Path, new: NewProduct) -> tuple[str, ...]:
    """Write the product's files, all or none; gives them. Raises CannotBegin if they were no valid product, and InTheWay."""
    files = product_files(new.asked, new.source, new.names, new.guessed)
    document = next(path for path in files if path.endswith("/product.yaml"))
    reading = read_product(files[document], document, installed_registry())
    if reading.product is None or reading.problems:
        raise CannotBegin(f"no valid product came out, so nothing was written:\n{problems_text(reading.problems)}")
    place(root, files, _folders(new.asked.domain, new.asked.name))
    return tuple(files)
