"""How the package is laid out: folders that one can take in, names that mean one thing, and a first sentence for each folder."""

import ast
from collections import Counter
from pathlib import Path

import pytest

import platform_resources

PACKAGE = Path(platform_resources.__file__).parent
MOST_MODULES = 16
pytestmark = pytest.mark.slow
# Dimensions are one file each, so there are as many as there are dimensions.
OF_CAPABILITIES = (
    "capabilities/components",
    "capabilities/criteria",
    "capabilities/dimensions",
    "capabilities/exports",
    "capabilities/input_ports",
    "capabilities/masks",
    "capabilities/output_ports",
    "capabilities/policies",
)
FOLDERS = sorted(init.parent.relative_to(PACKAGE).as_posix() for init in PACKAGE.rglob("__init__.py") if "migrations" not in init.parts)
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" and "migrations" not in path.parts)


def folder(module: Path) -> str:
    return module.parent.relative_to(PACKAGE).as_posix()


def test_a_folder_holds_few_modules():
    sizes = Counter(folder(module) for module in MODULES if folder(module) not in OF_CAPABILITIES)
    assert {name: size for name, size in sizes.items() if size > MOST_MODULES} == {}


def test_every_module_has_a_name_of_its_own():
    names = Counter(module.stem for module in MODULES if folder(module) not in OF_CAPABILITIES)
    assert {name for name, count in names.items() if count > 1} == set()


def test_every_class_has_a_name_of_its_own():
    """Capabilities are named after the word in YAML, as modules are."""
    classes = [
        node.name
        for module in MODULES
        if folder(module) not in OF_CAPABILITIES
        for node in ast.parse(module.read_text()).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert {name for name, count in Counter(classes).items() if count > 1} == set()


def test_no_module_of_the_package_is_imported_under_another_name():
    renamed = [
        f"{module.relative_to(PACKAGE)}: {alias.name} as {alias.asname}"
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("platform_resources")
        for alias in node.names
        if alias.asname and (PACKAGE.parent / (node.module or "").replace(".", "/") / f"{alias.name}.py").exists()
    ]
    assert renamed == []


def test_locals_are_named_for_what_they_hold():
    vague = [
        f"{module.relative_to(PACKAGE)}:{node.lineno}"
        for module in MODULES
        for node in _bound(ast.parse(module.read_text()))
        if {"found", "each", "told"} & {getattr(node, "id", None), getattr(node, "arg", None), getattr(node, "name", None)}
    ]
    assert vague == []


def _bound(tree: ast.Module) -> list[ast.Name | ast.arg | ast.MatchAs | ast.ExceptHandler]:
    """What gives a local or an argument its value. Fields of a class are not locals: they say what they are beside their class."""
    fields = {
        line.target for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for line in node.body if isinstance(line, ast.AnnAssign)
    }
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.arg, ast.MatchAs, ast.ExceptHandler))
        or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node not in fields)
    ]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_says_in_one_sentence_what_it_is_about(name):
    said = ast.get_docstring(ast.parse((PACKAGE / name / "__init__.py").read_text())) or ""
    first = said.partition("\n\n")[0]
    assert first.endswith(".") and len(first) <= 200, f"{name}/__init__.py: {first!r}"
