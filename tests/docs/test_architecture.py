"""The map of the package: each place that it names is there."""

import ast
import re
from pathlib import Path

import pytest

import platform_resources

PACKAGE = Path(platform_resources.__file__).parent
PAGE = (PACKAGE.parent / "docs" / "architecture.md").read_text()
TABLE = PAGE[PAGE.index("## Where is") : PAGE.index("## Three walks")]
PLACES = [
    (question, re.findall(r"`([\w/]+\.py)`", files), re.findall(r"`(\w+)`", found))
    for question, files, found in re.findall(r"^\| (.+\?) \| (.+) \| (.+) \|$", TABLE, re.M)
]
WALKS = PAGE[PAGE.index("## Three walks") : PAGE.index("### How many modules")]
HOPS = sorted(set(re.findall(r"`((?:\w+/)+\w+)(?:\.(\w+))?`", WALKS)))
ROWS = re.findall(r"^\| \d+ \| ((?:`\w+`(?:, )?)+) \|", PAGE, re.M)


def names(module: Path) -> set[str]:
    body = ast.parse(module.read_text()).body
    assigned = {target.id for node in body if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)}
    return assigned | {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_twenty_questions_at_least_are_answered():
    assert len(PLACES) >= 20
    assert len(PLACES) == len(re.findall(r"^\| ", TABLE, re.M)) - 1, "every row but the first asks a question"


@pytest.mark.parametrize(("question", "files", "found"), PLACES, ids=[question for question, _, _ in PLACES])
def test_a_question_leads_to_its_places(question, files, found):
    """Each file has one of the names, and each name is in one of the files."""
    there = {file: names(PACKAGE / file) & set(found) for file in files}
    assert found and set().union(*there.values()) == set(found), f"{question} {', '.join(files)}: {found}"
    assert all(there.values()), f"{question} {there}"


@pytest.mark.parametrize(("module", "name"), HOPS, ids=[f"{module}.{name}" for module, name in HOPS])
def test_a_hop_is_a_place(module, name):
    path = PACKAGE / f"{module}.py"
    assert path.exists() and (not name or name in names(path)), f"{module} has no {name}" if path.exists() else f"no {path}"


def test_the_map_has_every_folder_of_the_package():
    listed = {name for row in ROWS for name in re.findall(r"\w+", row)}
    assert listed == {init.parent.name for init in PACKAGE.glob("*/__init__.py")}
