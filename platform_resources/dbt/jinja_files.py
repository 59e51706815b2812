"""What dbt's Jinja parser says of files without running them: which are broken, and which environment variables they name."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from platform_resources.dbt.project_slices import read_files
from platform_resources.spec.document import Document, read_document
from platform_resources.spec.problems import Problem


def broken_macros(root: Path) -> Iterator[Problem]:
    """A problem for each file of shared SQL that is no Jinja; dbt stops at the first and does not name it."""
    from dbt_common.clients.jinja import get_environment
    from jinja2 import TemplateSyntaxError

    for file in sorted(path for path in read_files(root, None) if path.suffix == ".sql"):
        try:
            get_environment().parse(file.read_text(encoding="utf-8"))
        except TemplateSyntaxError as error:
            message = f"dbt cannot read these macros: {error.message}"
            hint = "products are built without this file, and those that use its macros fail"
            yield Problem(file.relative_to(root).as_posix(), error.lineno, "", message, hint)
        except UnicodeDecodeError:
            yield Problem(file.relative_to(root).as_posix(), 1, "", "the file is not text in UTF-8", "save it with the encoding UTF-8")


def variables_named(files: Iterable[Path]) -> tuple[frozenset[str], frozenset[str]]:
    """The environment variables that `env_var()` names as plain text in these files, and those of them that it names without a default.

    None in what dbt cannot parse either.
    """
    texts = ((file, file.read_text(encoding="utf-8", errors="replace")) for file in files if file.suffix in (".sql", ".yml", ".yaml"))
    named = [call for file, text in texts if "env_var" in text for template in _templates(file, text) for call in _variables(template)]
    return frozenset(name for name, _ in named), frozenset(name for name, default in named if not default)


def _templates(file: Path, text: str) -> Iterable[str]:
    """Of YAML its values: comments may hold anything."""
    if file.suffix == ".sql":
        return (text,)
    document = read_document(text, file.name)
    return tuple(_values(document.data)) if isinstance(document, Document) else ()


def _values(data: Any) -> Iterator[str]:
    match data:
        case str():
            yield data
        case dict():
            for key, value in data.items():
                yield from _values(key)
                yield from _values(value)
        case list():
            for value in data:
                yield from _values(value)


def _variables(template: str) -> Iterator[tuple[str, bool]]:
    """Each variable that is named, and whether with a default."""
    from dbt_common.clients.jinja import get_environment
    from jinja2 import TemplateSyntaxError, nodes

    try:
        tree = get_environment().parse(template)
    except TemplateSyntaxError:
        return
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "env_var" and call.args:
            name = call.args[0]
            if isinstance(name, nodes.Const):
                yield str(name.value), len(call.args) > 1 or bool(call.kwargs)
