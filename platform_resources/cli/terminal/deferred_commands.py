"""Commands that are imported only when they are called, so that `mesh` starts fast."""

import ast
import keyword
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

FOLDER = Path(__file__).parents[1]


class DeferredCommand(TyperCommand):
    """A command of a module of `cli`: the function of its name, or the module's `app`."""

    def __init__(self, module: str, name: str) -> None:
        super().__init__(name, rich_markup_mode="rich")
        self.module, self.function = module, name.replace("-", "_") + ("_" if keyword.iskeyword(name) else "")

    def loaded(self) -> TyperCommand | TyperGroup:
        """The command itself, with its arguments and options."""
        module = import_module(f"platform_resources.cli.{self.module}")
        function = getattr(module, self.function, None)
        application: typer.Typer = typer.Typer(rich_markup_mode="rich", add_completion=False) if function else module.app
        if function:
            application.command(self.name)(function)
        command = typer.main.get_command(application)
        assert isinstance(command, TyperCommand | TyperGroup)
        return command

    def make_context(self, *arguments: Any, **settings: Any) -> Any:
        return self.loaded().make_context(*arguments, **settings)


class DeferredGroup(TyperGroup):
    """A list of commands in order; their help is read from the module's text without importing it."""

    def format_help(self, *arguments: Any) -> None:
        for command in self.commands.values():
            if isinstance(command, DeferredCommand):
                words = _descriptions(command.module)
                command.help = words.get(command.function) or words["app"]
        super().format_help(*arguments)


@cache
def _descriptions(module: str) -> dict[str, str]:
    """What the module says of its functions, by name, and of its application, as `app`."""
    words: dict[str, str] = {}
    for node in ast.parse(FOLDER.joinpath(*module.split(".")).with_suffix(".py").read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef():
                words[node.name] = ast.get_docstring(node) or ""
            case ast.Assign(targets=[ast.Name("app")], value=ast.Call(keywords=[ast.keyword("help", ast.Constant(str(text))), *_])):
                words["app"] = text
    return words
