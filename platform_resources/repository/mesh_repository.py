"""Read a mesh repository from disk: its files and their texts as a Mesh."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from platform_resources.capabilities.protocols import PullPort
from platform_resources.capabilities.registry import Registry, installed_registry
from platform_resources.plan import conventions
from platform_resources.plan.from_products.mesh import Mesh, ModelText, ProductTexts, UnreadableProduct
from platform_resources.plan.plan import MeshPlan
from platform_resources.repository.dbt_target import Target, target
from platform_resources.repository.known_documents import Reader
from platform_resources.repository.mesh_folders import CALENDARS, DOCUMENT, DOMAIN_DOCUMENT, GOVERNANCE
from platform_resources.repository.needed_files import (
    PROFILES,
    PROJECT,
    WORKSPACE,
    code_location_problems,
    dbt_project_problems,
    definitions_file,
    misplaced,
)
from platform_resources.settings import STORE
from platform_resources.spec.domain_document import (
    CalendarReading,
    DomainDocument,
    DomainReading,
    read_calendar,
    read_domain,
    with_calendars,
)
from platform_resources.spec.governance import GovernanceReading, governed, read_governance
from platform_resources.spec.problems import Problem
from platform_resources.spec.product import Product, is_to_run
from platform_resources.spec.reading import ProductReading, read_product
from platform_resources.spec.values.names import is_name

PORT_NAMED = re.compile(r"associated_output_port:\s*(?:\{\s*value:)?([^,}\n]*)")


def read_mesh(
    root: Path,
    registry: Registry | None = None,
    only: Iterable[str] | None = None,
    reader: Reader = read_product,
    domain: str | None = None,
) -> Mesh:
    """Every product under `root` (or `only` these and all upstream of them), with the texts beside it. Never raises for what a file says.

    If a product of `only`, or one upstream, does not lie in a folder of its name, all are read: then anything may be meant.
    With a `domain`, the texts beside products of other domains are left out; `with_all_texts` reads them later.
    """
    registry = registry or installed_registry()
    readings = _readings_upstream(root, only, registry) if only is not None else None
    whole = readings is None
    if readings is None:
        readings = {path: _read(root, path, registry, reader) for path in (root / conventions.PRODUCTS_FOLDER).glob(f"*/*/{DOCUMENT}")}
    products: list[Product] = []
    unreadable: list[UnreadableProduct] = []
    texts: dict[str, ProductTexts] = {}
    for path, reading in sorted(readings.items()):
        file = path.relative_to(root).as_posix()
        product = reading.product or reading.partial
        if product is not None and domain in (None, product.domain, path.parent.parent.name):
            texts[file] = product_texts(root, product.domain, product.name, path.parent)
        if reading.product is not None:
            products.append(reading.product)
        else:
            names = path.parent.name, path.parent.parent.name
            unreadable.append(UnreadableProduct(*names, file, reading.problems, reading.partial, reading.broken))
    mesh = Mesh(tuple(products), texts, tuple(unreadable), registry, _domains(root), is_whole=whole)
    return _governed(replace(mesh, on_several_machines=bool(STORE.value(os.environ))), root)


def _governed(mesh: Mesh, root: Path) -> Mesh:
    """The mesh under the rules of governance.yaml; as it is, where there is no such file."""
    if not (root / GOVERNANCE).exists():
        return mesh
    problems: list[Problem] = []
    ((file, text),) = _texts(root, [root / GOVERNANCE], problems).items()
    reading = GovernanceReading(problems=tuple(problems), classes_are_known=False) if problems else read_governance(text, file)
    under = partial(governed, governance=reading.governance)
    unreadable = (replace(bad, partial=under(bad.partial)) if bad.partial is not None else bad for bad in mesh.unreadable)
    return replace(mesh, products=tuple(map(under, mesh.products)), unreadable=tuple(unreadable), governance=reading)


def with_all_texts(root: Path, mesh: Mesh) -> Mesh:
    """The mesh as it was read, with the texts that were left out as they are now; none of a product whose folder is gone."""
    read = (*mesh.products, *(rejected.partial for rejected in mesh.unreadable if rejected.partial is not None))
    left_out = [product for product in read if product.file not in mesh.texts and (root / product.file).parent.is_dir()]
    later = {product.file: product_texts(root, product.domain, product.name, (root / product.file).parent) for product in left_out}
    return replace(mesh, texts={**mesh.texts, **later})


def _readings_upstream(root: Path, names: Iterable[str], registry: Registry) -> dict[Path, ProductReading] | None:
    """The documents of these products and of all upstream; None if that cannot be told from folder names.

    Nor where one of them claims a former name: whether it is anybody's name now, only all documents tell.
    """
    readings: dict[Path, ProductReading] = {}
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        paths = list((root / conventions.PRODUCTS_FOLDER).glob(f"*/{name}/{DOCUMENT}")) if is_name(name) else []
        if not paths:
            return None
        for path in paths:
            readings[path] = _read(root, path, registry)
            product = readings[path].product
            if product is not None and product.info.renamed_from:
                return None
            waiting += _upstream_names(readings[path], registry)
    return readings


def _upstream_names(reading: ProductReading, registry: Registry) -> Iterator[str]:
    """What stands before the point in `<product>.<output port>`; a port's title in free text gives what is no product's name."""
    product = reading.product or reading.partial
    for port in product.input_ports if product is not None else ():
        pull = registry.input_interfaces()[port.variant].pull(port.settings)
        if isinstance(pull, PullPort):
            yield pull.port.partition(".")[0]


def names_behind(root: Path, name: str) -> tuple[str, ...]:
    """The product and every one whose document names a port of it, or of one behind it; perhaps some more, never fewer.

    Only the texts are looked at: whoever asks about one product need not wait until a large mesh is read. Where a port is named by its
    title alone, which tells no product, all are given.
    """
    texts = {
        path.parent.name: path.read_text(encoding="utf-8", errors="replace")
        for path in (root / conventions.PRODUCTS_FOLDER).glob(f"*/*/{DOCUMENT}")
    }
    if any("." not in port for text in texts.values() for port in PORT_NAMED.findall(text)):
        return tuple(sorted(texts))
    names, waiting = {name}, [name]
    while waiting:
        port = f"{waiting.pop()}."
        new = {reader for reader, text in texts.items() if reader not in names and port in text}
        names |= new
        waiting += new
    return tuple(sorted(names))


def _domains(root: Path) -> dict[str, DomainReading]:
    """Every domain.yaml by its folder's name; a bad one takes no product down, and an empty one says nothing."""
    problems: list[Problem] = []
    texts = _texts(root, (root / conventions.PRODUCTS_FOLDER).glob(f"*/{DOMAIN_DOCUMENT}"), problems)
    unread = {problem.file: DomainReading(DomainDocument(), (problem,)) for problem in problems}
    readings = unread | {file: read_domain(text, file) for file, text in texts.items() if text}
    calendars = _calendars(root)
    return {Path(file).parent.name: with_calendars(reading, calendars, CALENDARS) for file, reading in sorted(readings.items())}


def _calendars(root: Path) -> dict[str, CalendarReading]:
    """Every calendar by its file's name."""
    problems: list[Problem] = []
    texts = _texts(root, (root / CALENDARS).glob("*.yaml"), problems)
    readings = {problem.file: CalendarReading(problems=(problem,)) for problem in problems}
    return {Path(file).stem: reading for file, reading in (readings | {f: read_calendar(t, f) for f, t in texts.items()}).items()}


def build_problems(root: Path, plan: MeshPlan) -> tuple[Problem, ...]:
    """Why no product of the plan can be built, for example a missing dbt project."""
    if not any(is_to_run(product.info) for product in plan.products):
        return ()
    refused = target_of(root).problem
    return (*missing_dbt_files(root), *([refused] if refused else ()))


def missing_dbt_files(root: Path) -> tuple[Problem, ...]:
    """What the mesh's dbt project lacks before any product can be built in it."""
    return tuple(dbt_project_problems(_texts_there(root, (PROJECT, PROFILES))))


def parsed_target(root: Path) -> str:
    """The target that dbt reads the mesh for: that of refreshes, if that is refused that of profiles.yml; empty if dbt cannot be asked."""
    texts = _texts_there(root, (PROJECT, PROFILES))
    chosen = (target(texts, os.environ), target(texts, {})) if len(texts) == 2 else ()
    return next((choice.name for choice in chosen if choice.problem is None), "")


def target_of(root: Path) -> Target:
    """The dbt target that refreshes of the mesh build in, by MESH_TARGET or profiles.yml."""
    return target(_texts_there(root, (PROJECT, PROFILES)), os.environ)


def house_problems(root: Path, plan: MeshPlan) -> tuple[Problem, ...]:
    """What else is missing in the repository, and documents that nobody reads. Refreshes work without them."""
    folder = root / conventions.PRODUCTS_FOLDER
    lost = (path for pattern in (DOCUMENT, f"*/{DOCUMENT}", "*/*/product.yml") for path in folder.glob(pattern))
    domains = sorted({product.domain for product in plan.products if is_to_run(product.info)})
    texts = _texts_there(root, (WORKSPACE, *map(definitions_file, domains)))
    misplaced_code = code_location_problems(domains, texts) if domains else ()
    return (*misplaced(path.relative_to(root).as_posix() for path in sorted(lost)), *misplaced_code)


def _texts_there(root: Path, files: Iterable[str]) -> dict[str, str]:
    """The texts of those files that there are, also where they are no UTF-8: only words in them are looked for."""
    return {file: (root / file).read_text(encoding="utf-8", errors="replace") for file in files if (root / file).is_file()}


def _read(root: Path, path: Path, registry: Registry, reader: Reader = read_product) -> ProductReading:
    file = path.relative_to(root).as_posix()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return ProductReading(None, (_unreadable(file, error),))
    return reader(text, file, registry)


def _unreadable(file: str, error: OSError | UnicodeDecodeError) -> Problem:
    if isinstance(error, UnicodeDecodeError):
        line = error.object.count(b"\n", 0, error.start) + 1
        return Problem(file, line, "", "the file is not text in UTF-8", "save it with the encoding UTF-8")
    return Problem(file, 1, "", f"the file cannot be read: {error.strerror or error}")


def product_texts(root: Path, domain: str, product: str, folder: Path) -> ProductTexts:
    """The texts of the files beside one product's document."""
    models = root / conventions.models_folder(domain, product)
    tests = root / conventions.tests_folder(domain, product)
    described = [p for p in (*models.rglob("*.yml"), *models.rglob("*.yaml")) if not conventions.is_generated(p.name)]
    problems: list[Problem] = []
    written = [path for ending in ("*.sql", "*.py") for path in models.rglob(ending)]
    sql = {kind: _texts(root, paths, problems) for kind, paths in (("models", written), ("tests", tests.rglob("*.sql")))}
    properties, modules = _texts(root, described, problems), _texts(root, folder.glob("*.py"), problems)
    unread = {problem.file for problem in problems}
    return ProductTexts(
        models=tuple(ModelText(Path(file).stem, file, text) for file, text in sql["models"].items()),
        tests=tuple(ModelText(Path(file).stem, file, text) for file, text in sql["tests"].items() if file not in unread),
        properties=properties,
        modules={Path(file).stem: text for file, text in modules.items() if file not in unread},
        files=frozenset(path.name for path in folder.iterdir()),
        seeds=frozenset(path.stem for path in (root / conventions.seeds_folder(domain, product)).rglob("*.csv")),
        problems=tuple(problems),
    )


def _texts(root: Path, paths: Iterable[Path], problems: list[Problem]) -> dict[str, str]:
    """The text of each file by its path below the mesh's root, sorted; an empty one where it cannot be read."""
    texts: dict[str, str] = {}
    for path in sorted(paths):
        file = path.relative_to(root).as_posix()
        try:
            texts[file] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(_unreadable(file, error))
            texts[file] = ""
    return texts
