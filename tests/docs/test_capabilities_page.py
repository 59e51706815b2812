"""What is public is written down: the names of `platform_resources`, and what each protocol asks for."""

import ast
import inspect
import re
import subprocess
import sys
from datetime import timedelta

import pytest

import platform_resources
from platform_resources import Promise, duration_text
from platform_resources.capabilities import protocols
from tests.meshes import REPOSITORY

PUBLIC = tuple(f"from platform_resources{part} import " for part in ("", ".testing", ".client"))
PAGE = (REPOSITORY / "docs" / "capabilities.md").read_text(encoding="utf-8")
PROTOCOLS = [each for each in vars(protocols).values() if getattr(each, "_is_protocol", False) and each.__module__ == protocols.__name__]


def section(heading: str) -> str:
    found = re.search(rf"^##+ {re.escape(heading)}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/capabilities.md has no section {heading}"
    return found.group(1)


def own_members(protocol: type) -> dict[str, str]:
    """What the protocol asks for beside what it inherits: a default that it has itself, else `required`."""
    names = [*inspect.get_annotations(protocol), *(name for name, value in vars(protocol).items() if inspect.isfunction(value))]
    return {name: default_text(protocol, name) for name in dict.fromkeys(names) if not name.startswith("_")}


class Plain(protocols.Traits):
    """A dimension that says nothing of itself."""


def default_text(protocol: type, name: str) -> str:
    if protocol is not protocols.Traits:
        return "required"
    value = getattr(Plain(), name)
    given = value(*[None] * len(inspect.signature(value).parameters)) if callable(value) else value
    return f"`{duration_text(given)}`" if isinstance(given, timedelta) else f"`{given!r}`".replace(repr(Promise()), "Promise()")


def test_the_page_names_exactly_what_is_public():
    table = section("What is public").partition("|---|---|")[2]
    assert sorted(re.findall(r"`(\w+)`", table)) == sorted(platform_resources.__all__) == sorted(dir(platform_resources))


def test_every_public_name_is_there_and_known_to_type_checkers():
    assert [name for name in platform_resources.__all__ if getattr(platform_resources, name, None) is None] == []
    tree = ast.parse((REPOSITORY / "platform_resources" / "__init__.py").read_text(encoding="utf-8"))
    typed = {
        (alias.name, f"{node.module}")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert typed == set(platform_resources._ADDRESSES.items())


def test_a_name_that_is_not_public_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'asset_key'"):
        _ = platform_resources.asset_key


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda each: each.__name__)
def test_the_page_has_every_member_of_every_protocol(protocol):
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", section(f"`{protocol.__name__}`"), re.MULTILINE)
    assert dict(rows) == own_members(protocol)


def test_all_protocols_are_public():
    assert {each.__name__ for each in PROTOCOLS} <= set(platform_resources.__all__)


IMPORTS = """
import sys
import platform_resources
print(*sorted({"dagster", "duckdb", "dbt", "sqlalchemy", "pydantic"} & sys.modules.keys()))
from platform_resources import Dimension, InputInterface, Judgement, LearnedThreshold, RowCount, Strict, judged_share
print(*sorted({"dagster", "duckdb", "dbt", "sqlalchemy"} & sys.modules.keys()))
"""


@pytest.mark.slow
def test_what_capabilities_import_loads_neither_dagster_nor_dbt_nor_a_database():
    done = subprocess.run([sys.executable, "-c", IMPORTS], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "\n\n"


FOREIGN = [*REPOSITORY.glob("dataproducts/**/*.py"), *REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")]


def test_meshes_and_pages_import_from_the_public_address_alone():
    texts = {file.relative_to(REPOSITORY).as_posix(): file.read_text(encoding="utf-8") for file in FOREIGN}
    imports = [
        (file, line.strip())
        for file, text in texts.items()
        for line in text.splitlines()
        if re.match(r"\s*(from|import) platform_res", line)
    ]
    assert len(imports) > 10
    assert [(file, line) for file, line in imports if not line.startswith(PUBLIC)] == []
