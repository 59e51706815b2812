"""Create a product from existing data: inspect them, guess the metadata, and write all files or none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from platform_resources.capabilities.registry import installed_registry
from platform_resources.deliveries.arrivals import NotArrived
from platform_resources.detection.name_words import without_accents
from platform_resources.plan import conventions
from platform_resources.repository.mesh_folders import CALENDARS
from platform_resources.repository.placing import InTheWay, in_the_way, place
from platform_resources.scaffolding.product_files import Guesses, Wanted, data_set_name, guesses, product_files
from platform_resources.scaffolding.source_columns import Guess, SourceFacts
from platform_resources.services.migrating.dbt_migration import Destination
from platform_resources.services.starting.model_inputs import AskedModel, asked_model, models, read_port, seen_in_a_trial
from platform_resources.services.starting.new_inputs import AskedSource, NewInput, new_input, source_name
from platform_resources.services.starting.new_meshes import CannotBegin
from platform_resources.services.starting.source_facts import looked_at
from platform_resources.spec.problems import did_you_mean, known_text, problems_text
from platform_resources.spec.reading import read_product
from platform_resources.spec.values.field_types import UNCLASSIFIED
from platform_resources.spec.values.names import LONGEST_NAME, fold, is_name, slug
from platform_resources.spec.values.yaml_text import flow_list
from platform_resources.warehouses.engine_errors import EngineError, LoadFailed
from platform_resources.warehouses.extraction import ExtractorFailed


@dataclass(frozen=True, slots=True)
class NewProduct:
    """A proposed product that is not written yet. `names` maps each of its columns to the source's column.

    `variables` are those of the environment that refreshes need, and that hold what is secret of its source's address.
    """

    asked: Wanted
    source: SourceFacts
    names: Mapping[str, str]
    guessed: Guesses
    variables: tuple[str, ...] = ()


def domains(root: Path) -> tuple[str, ...]:
    """The domains of a mesh: its folders under `dataproducts`, without those of calendars."""
    folders = sorted(folder for folder in (root / conventions.PRODUCTS_FOLDER).iterdir() if folder != root / CALENDARS)
    return tuple(folder.name for folder in folders if folder.is_dir() and is_name(folder.name))


def product_name(asked: AskedSource) -> str:
    """A valid product name from the source's: `Umsätze 2026.csv.gz` gives umsaetze_2026; empty if nothing is left."""
    return slug(without_accents(source_name(asked)))


def unowned(root: Path, asked: AskedSource) -> AskedModel | None:
    """The dbt model that is asked for, where its folder is of no product yet: the product will be there. Raises CannotBegin."""
    model = asked_model(root, asked.source)
    return model if model is not None and not model.owned else None


def thought_of(root: Path, domain: str, name: str, asked: AskedSource, now: datetime) -> NewProduct:
    """Inspect the source and propose a product. Writes nothing. Raises CannotBegin and InTheWay."""
    _check_domain(root, domain)
    model = asked_model(root, asked.source)
    if model is not None and not model.owned:
        return _of_own_model(root, Destination(domain, name), model, now)
    if model is not None and fold(name) == fold(model.name):
        hint = f"call the product otherwise: mesh new product NAME --from {model.name}"
        raise CannotBegin(f"{model.product.name} has a model {model.name} already; {hint}")
    _check_name(root, domain, name)
    if model is not None:
        port = read_port(root, Destination(domain, name), model, now)
        title = f"the output port {port.fields['associated_output_port']}"
        new_port = NewInput(port.fields, port.published, title, columns=port.columns, key=port.key)
    else:
        new_port = new_input(root, root / conventions.PRODUCTS_FOLDER / domain / name, name, asked)
    return guessed_of(root, domain, name, new_port, now)


def check_new(root: Path, domain: str, name: str) -> None:
    """Raises CannotBegin and InTheWay where no product of this name can begin in the domain."""
    _check_domain(root, domain)
    _check_name(root, domain, name)


def guessed_of(root: Path, domain: str, name: str, new_port: NewInput, now: datetime) -> NewProduct:
    """Inspect the source of an input port and propose a product. Raises CannotBegin."""
    try:
        facts, names = looked_at(new_port.pull, root, now, new_port.key)
    except (NotArrived, ExtractorFailed, LoadFailed, EngineError, OSError) as error:
        why = new_port.hide(str(error))
        raise CannotBegin(f"{new_port.title} cannot be loaded, so nothing can be guessed from it: {why}") from error
    if not facts.rows:
        raise CannotBegin(f"{new_port.title} has no rows, so nothing can be guessed from it")
    guessed = _with_known_classes(guesses(facts), new_port)
    notes = (*new_port.guessed, *_changes(new_port, guessed))
    asked_for = Wanted(domain, name, new_port.fields, new_port.title, notes, {column.name: column for column in new_port.columns})
    return NewProduct(asked_for, facts, names, guessed, new_port.variables)


def _of_own_model(root: Path, product: Destination, model: AskedModel, now: datetime) -> NewProduct:
    """A product around a model that is there, in the folder that it lies in."""
    if product != model.product:
        where = conventions.models_folder(model.product.domain, model.product.name)
        raise CannotBegin(
            f"{model.name} lies in {where}/, so its product is called {model.product.name}: "
            f"mesh new product {model.product.name} --domain {model.product.domain} --from {model.name}"
        )
    _check_name(root, product.domain, product.name, model)
    facts, names = seen_in_a_trial(root, model, now)
    title = f"the dbt model {model.name}"
    if not facts.rows:
        raise CannotBegin(f"{title} has no rows, so nothing can be guessed from it")
    return NewProduct(Wanted(product.domain, product.name, {}, title, model=model.name), facts, names, guesses(facts))


def _with_known_classes(guessed: Guesses, new_port: NewInput) -> Guesses:
    """What another product says of its columns is no guess."""
    said = [column for column in new_port.columns if column.classification != UNCLASSIFIED]
    known = {column.name: Guess(column.classification, "high", f"as {new_port.title} says") for column in said}
    return replace(guessed, classes={**guessed.classes, **known})


def _changes(new_port: NewInput, guessed: Guesses) -> Iterator[str]:
    """How only what has changed would be read of a table; whether its dates really follow every change, only its owner knows."""
    if new_port.fields["interface"] != "sql-database" or guessed.updated_at is None or not guessed.promised_key:
        return
    if "cursor" not in new_port.fields:
        key, cursor = flow_list(guessed.promised_key), guessed.updated_at.value
        yield "All rows are read at each refresh. Only what has changed is read with this, if every change sets that column:"
        yield f"key: {key}, cursor: {cursor}, deletes: compare"


def _check_domain(root: Path, domain: str) -> None:
    known = domains(root)
    if domain not in known:
        hint = did_you_mean(domain, known)
        raise CannotBegin(f'no domain "{domain}"; known: {known_text(known)}\n{hint or f"a new one begins with: mesh new domain {domain}"}')


def _check_name(root: Path, domain: str, name: str, model: AskedModel | None = None) -> None:
    """`model` is one of the product's own that is there already."""
    if not is_name(name) or len(name) > LONGEST_NAME - len("_source"):
        raise CannotBegin(f'"{name}" is no name of a product: write lower case letters, digits and _, beginning with a letter')
    if name in conventions.RESERVED_NAMES:
        raise CannotBegin(f'a product may not be called "{name}"; reserved: {known_text(conventions.RESERVED_NAMES)}')
    taken = [folder for folder in (root / conventions.PRODUCTS_FOLDER).glob("*/*/") if fold(folder.name) == fold(name)]
    there = [at for folder in taken for at in in_the_way(root, folder.relative_to(root).as_posix())]
    if model is None:
        there = [*_there(root, domain, name), *there]
        there += [file.relative_to(root).as_posix() for stem, file in models(root).items() if fold(stem) == fold(data_set_name(name))]
    if there:
        raise InTheWay(tuple(dict.fromkeys(there)))


def _folders(domain: str, name: str) -> tuple[str, str]:
    """In the order in which they appear: a product is there with its document."""
    return conventions.models_folder(domain, name), f"{conventions.PRODUCTS_FOLDER}/{domain}/{name}"


def _there(root: Path, domain: str, name: str) -> list[str]:
    return [path for folder in _folders(domain, name) for path in in_the_way(root, folder)]


def write(root: Path, new: NewProduct) -> tuple[str, ...]:
    """Write the product's files, all or none, and return them. Raises CannotBegin if the product is invalid, and InTheWay."""
    files, folders = valid_files(new), _folders(new.asked.domain, new.asked.name)
    place(root, files, folders[1:] if new.asked.model else folders)
    return tuple(files)


def valid_files(new: NewProduct) -> dict[str, str]:
    """The product's files by their path. Raises CannotBegin if the product is invalid."""
    files = product_files(new.asked, new.source, new.names, new.guessed)
    document = next(path for path in files if path.endswith("/product.yaml"))
    reading = read_product(files[document], document, installed_registry())
    if reading.product is None or reading.problems:
        raise CannotBegin(f"no valid product came out, so nothing was written:\n{problems_text(reading.problems)}")
    return files
