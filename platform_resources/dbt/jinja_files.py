"""What dbt's Jinja parser says of files without running them: which are broken, and what they call by which names."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from platform_resources.dbt.project_slices import read_files
from platform_resources.spec.document import Document, Place, read_document
from platform_resources.spec.problems import Problem

# Stands for an argument that is no plain text.
_UNKNOWN = "…"


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
    calls = [names for file in files for _, names in _calls(file, "env_var") if names and names[0] != _UNKNOWN]
    return frozenset(names[0] for names in calls), frozenset(names[0] for names in calls if len(names) == 1)


def place_of_call(files: Iterable[Path], function: str, names: tuple[str, ...]) -> tuple[Path, int] | None:
    """The first file and line where the function is called with these names; None where none says so in plain text."""
    return next(((file, line) for file in files for line, written in _calls(file, function) if written == names), None)


def _calls(file: Path, function: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Line and arguments of each call of the function in a file of SQL, YAML or Python."""
    text = file.read_text(encoding="utf-8", errors="replace") if file.suffix in (".sql", ".yml", ".yaml", ".py") else ""
    if function not in text:
        return
    if file.suffix == ".py":
        yield from _python_calls(text, function)
        return
    for first, template in _templates(file, text):
        yield from ((first + line - 1, names) for line, names in _jinja_calls(template, function))


def _templates(file: Path, text: str) -> Iterator[tuple[int, str]]:
    """Each template with its line. Of YAML its values: comments may hold anything, and some values are a bare call."""
    if file.suffix == ".sql":
        yield 1, text
        return
    document = read_document(text, file.name)
    if isinstance(document, Document):
        for place, value in _values(document.data, ()):
            yield document.line(place), value if "{" in value else f"{{{{ {value} }}}}"


def _values(data: Any, place: Place) -> Iterator[tuple[Place, str]]:
    match data:
        case str():
            yield place, data
        case dict():
            for key, value in data.items():
                yield from _values(key, place)
                yield from _values(value, (*place, key))
        case list():
            for position, value in enumerate(data):
                yield from _values(value, (*place, position))


def _jinja_calls(template: str, function: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    from dbt_common.clients.jinja import get_environment
    from jinja2 import TemplateSyntaxError, nodes

    try:
        tree = get_environment().parse(template)
    except TemplateSyntaxError:
        return
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == function:
            written = (*call.args, *(pair.value for pair in call.kwargs))
            yield call.lineno, tuple(str(argument.value) if isinstance(argument, nodes.Const) else _UNKNOWN for argument in written)


def _python_calls(text: str, function: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == function:
            yield call.lineno, tuple(str(argument.value) if isinstance(argument, ast.Constant) else _UNKNOWN for argument in call.args)


def macros_in(file: Path) -> frozenset[str]:
    """The names of the macros that a file of SQL defines; none of one that is no Jinja."""
    from dbt_common.clients.jinja import get_environment
    from jinja2 import TemplateSyntaxError, nodes

    try:
        tree = get_environment().parse(file.read_text(encoding="utf-8", errors="replace"))
    except TemplateSyntaxError:
        return frozenset()
    return frozenset(macro.name.removeprefix("dbt_macro__") for macro in tree.find_all(nodes.Macro))
