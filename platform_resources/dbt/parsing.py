"""Ask dbt about one product: its project as plain data, or the problem with the file at which dbt stopped."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from traceback import walk_tb
from typing import Any

from platform_resources.dbt.build import CannotParse, parse
from platform_resources.dbt.jinja_files import place_of_call, variables_named
from platform_resources.dbt.project_slices import read_files
from platform_resources.dbt.reduced_manifest import reduced
from platform_resources.dbt.translation import translated
from platform_resources.plan import conventions
from platform_resources.plan.conventions import Placed
from platform_resources.plan.from_products.dbt_nodes import DbtReading
from platform_resources.plan.validation.written_references import foreign_source
from platform_resources.redaction.redaction import Mask
from platform_resources.repository.mesh_folders import DOCUMENT
from platform_resources.repository.needed_files import PROFILES
from platform_resources.repository.product_secrets import mask_of
from platform_resources.spec.problems import Problem

_LONGEST = 400


def reading_of(root: Path, state: Path, product: Placed, target: str, shared: object) -> tuple[DbtReading, frozenset[str]]:
    """What dbt says of the product, and the environment variables that it has looked at."""
    hide = mask_of(root, product)
    try:
        manifest, problems = parse(root, state, product, target, hide)
    except CannotParse as refused:
        missing = str(getattr(refused.error, "target_name", ""))
        return DbtReading(None, (_problem(root, product, refused, hide),), missing), frozenset()
    shown, mistranslated = translated(root, product, manifest)
    all_problems = (*problems, *mistranslated, *_lost_tests(root, product, manifest))
    return DbtReading(reduced(manifest, product.name, shared, shown), all_problems), frozenset(manifest.env_vars)


@dataclass(frozen=True, slots=True)
class Named:
    """Environment variables by what they are named for: `nodes` may depend on them; with `connection` dbt reaches the warehouse.

    `needed` are those of both without which dbt reads nothing, or which only who builds must have.
    """

    nodes: frozenset[str]
    connection: frozenset[str]
    needed: frozenset[str]


def named_by(root: Path, product: Placed) -> Named:
    """The environment variables that the product's files name, and those that all products share."""
    files = (*read_files(root, None), *read_files(root, product))
    nodes, needed = variables_named(file for file in files if file != root / PROFILES)
    connection, _ = variables_named([root / PROFILES])
    return Named(nodes, connection - nodes, needed | connection - nodes)


def _problem(root: Path, product: Placed, refused: CannotParse, hide: Mask) -> Problem:
    """dbt's own words, at the file that they are about: the one dbt gives, otherwise one that they name, otherwise the product's."""
    error = refused.error
    source, _, table = str(getattr(error, "target_name", "")).partition(".")
    if getattr(error, "target_kind", "") == "source":
        return _source_problem(root, product, _file(root, product, error), source, table)
    words = " ".join(_in_order(hide("\n".join((str(getattr(error, "msg", error)), *refused.said)))).split())
    shown = words if len(words) <= _LONGEST else f"{words[:_LONGEST]} …"
    return Problem(_file(root, product, error), _line(str(error)), "", f"dbt cannot read the product: {shown}")


def _in_order(text: str) -> str:
    """The items of a list in dbt's words sorted; dbt gives them in the order in which it has read the files."""
    lines = text.splitlines()
    items = iter(sorted(line for line in lines if line.lstrip().startswith("* ")))
    return "\n".join(next(items) if line.lstrip().startswith("* ") else line for line in lines)


def _source_problem(root: Path, product: Placed, file: str, source: str, table: str) -> Problem:
    """A source that is none, where it is written: in a model, or in a macro that it calls."""
    files = (root / file, *read_files(root, product), *read_files(root, None))
    place = place_of_call((path for path in files if path.is_file()), "source", (source, table))
    where, line = (place[0].relative_to(root).as_posix(), place[1]) if place else (file, 1)
    return Problem(where, line, f"source('{source}', '{table}')", *foreign_source(product.name, source, table))


def _lost_tests(root: Path, product: Placed, manifest: Any) -> Iterator[Problem]:
    """Tests that read what there is not: dbt warns of them, and never runs them."""
    for test in (*manifest.nodes.values(), *(node for nodes in manifest.disabled.values() for node in nodes)):
        if test.resource_type != "test" or test.config.enabled or test.unrendered_config.get("enabled", True) is not True:
            continue
        file = f"{conventions.DBT_FOLDER}/{test.original_file_path}"
        for source, table in test.sources:
            if manifest.resolve_source(source, table, test.package_name, test.package_name) is None:
                yield _source_problem(root, product, file, source, table)
        for ref in test.refs:
            if manifest.resolve_ref(test, ref.name, ref.package, ref.version, test.package_name, test.package_name) is None:
                place = place_of_call([root / file], "ref", (ref.name,))
                message = f'test {test.name} reads "{ref.name}", and no model of this product is called so; dbt would leave the test out'
                hint = "products meet only at ports: read another product through an input port"
                yield Problem(file, place[1] if place else 1, f"ref('{ref.name}')", message, hint)


def _file(root: Path, product: Placed, error: BaseException) -> str:
    written = str(getattr(getattr(error, "node", None), "original_file_path", "")) or _looked_at(error)
    if written:
        return f"{conventions.DBT_FOLDER}/{written}"
    said, missing = str(error), str(getattr(error, "var", ""))
    files = (path.relative_to(root).as_posix() for path in (*read_files(root, product), *read_files(root, None)))
    named = (file for file in sorted(files) if _in_project(file) in said and not conventions.is_generated(file))
    return next(named, None) or next(_naming(root, product, missing), None) or _document(product)


def _looked_at(error: BaseException) -> str:
    """The file of the node that dbt was about, where its settings do not go together: that error names none."""
    if type(error).__name__ != "ValidationError":
        return ""
    nodes = (frame.f_locals.get("parsed_node") for frame, _ in walk_tb(error.__traceback__))
    return next((str(node.original_file_path) for node in nodes if node is not None), "")


def _naming(root: Path, product: Placed, variable: str) -> Iterator[str]:
    """The files that name the environment variable which dbt does not find."""
    for path in (*read_files(root, product), *read_files(root, None)):
        if variable in variables_named([path])[0]:
            yield path.relative_to(root).as_posix()


def _in_project(file: str) -> str:
    """dbt names some files below `models`, and some in it."""
    return file.split("/", 2)[2] if file.count("/") > 1 else file.rpartition("/")[2]


def _document(product: Placed) -> str:
    return f"{conventions.product_folder(product.domain, product.name)}/{DOCUMENT}"


def _line(said: str) -> int:
    """The line of which dbt's words tell, as in `line 2` or `Syntax error near line 4`; 1 where they tell none."""
    words = said.replace(":", " ").replace(",", " ").split()
    return next((int(after) for word, after in pairwise(words) if word == "line" and after.isdigit()), 1)
