"""Helpers for commands: the mesh, clocks, output, and exit codes."""

import getpass
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from platform_resources.dbt.planning import read_plan
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.redaction.redaction import mask
from platform_resources.repository.mesh_folders import mesh_root
from platform_resources.repository.mesh_repository import build_problems
from platform_resources.spec.problems import Problem, errors, unknown_text
from platform_resources.spec.values.clocks import Clock

FINE, MISSED, SPEC_INVALID, CANNOT_RUN = 0, 1, 2, 3

# Words for people go to standard error when standard output carries data.
out = Console(width=None if sys.stdout.isatty() else 160, emoji=False)
words = Console(stderr=True, soft_wrap=True, emoji=False)


class Stop(Exception):
    """Raised to end a command with an exit code after everything has been said."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def fail(message: str, code: int) -> int:
    """Print an error and return its exit code."""
    words.print(mask(message), style="red", markup=False, highlight=False)
    return code


def stop(message: str, code: int) -> NoReturn:
    """End the command with a message."""
    raise Stop(fail(message, code))


def named_values(option: str, written: Sequence[str]) -> dict[str, str]:
    """Parse repeated NAME=VALUE options; anything else ends the command."""
    for setting in written:
        if not setting.partition("=")[0] or "=" not in setting:
            stop(f'{option} is "{setting}"; write NAME=VALUE, such as region=EU', CANNOT_RUN)
    return dict(setting.split("=", 1) for setting in written)


def you(option: str) -> str:
    """The name of the user of this computer; if unknown, as in a container, an error that mentions `option`."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        stop(f"nobody can tell who you are here; say it with {option} NAME", CANNOT_RUN)


def cell(value: Any) -> Text:
    """Text from data, printed as it is: markup and terminal codes in it have no effect."""
    return Text(_harmless(value))


def counted(number: int, thing: str, one: str = "", more: str = "") -> str:
    """`1 product`, `2,469 products`; with the verb that follows: `1 product is`, `2 products are`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'} {one if number == 1 else more}".rstrip()


def plain(value: Any) -> str:
    """Text from data, escaped for use inside Rich markup."""
    return escape(_harmless(value))


def _harmless(value: Any) -> str:
    return str(value).replace("\x1b", "\\x1b")


def print_table(headings: Iterable[str], rows: Iterable[Iterable[Any]], none: str = "") -> None:
    """Print rows of texts, as they are, or `none` where there are no rows."""
    table = Table(*headings, box=None, header_style="bold")
    for row in rows:
        table.add_row(*map(cell, row))
    out.print(table if table.row_count or not none else none)


def print_json(data: Any) -> None:
    """Print the data as JSON."""
    typer.echo(json.dumps(_json_data(data), indent=2, ensure_ascii=False, allow_nan=False, default=str))


def _json_data(value: Any) -> Any:
    """JSON has no NaN and no infinity: they are null. Its keys are text."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case Mapping():
            return {str(key): _json_data(item) for key, item in value.items()}
        case list() | tuple():
            return [_json_data(item) for item in value]
        case _:
            return value


def print_problems(problems: Iterable[Problem]) -> None:
    """Print problems of specs, each with its place."""
    for problem in sorted(problems):
        words.print(str(problem), style="red" if problem.severity == "error" else "yellow", markup=False, highlight=False)


def mesh_of(context: typer.Context, only: Sequence[str] | None = None, upstream: bool = False) -> tuple[Path, MeshPlan]:
    """The mesh's root and plan, `only` of these products if given. Prints problems and goes on with valid products.

    `upstream`: also of everything that these are made from.
    """
    root = mesh_root(context.obj)
    plan, problems = read_plan(root, only, upstream)
    if only is not None and not {*only} <= {p.name for p in plan.products} | {r.name for r in plan.rejected}:
        plan, problems = read_plan(root)
    wrong = errors((*problems, *build_problems(root, plan)))
    if wrong:
        print_problems(wrong)
        if plan.rejected:
            words.print(f"{counted(len(plan.rejected), 'product', 'is', 'are')} not loaded; the others go on", style="yellow")
    return root, plan


def product_of(plan: MeshPlan, name: str) -> ProductPlan:
    """The product of that name; if there is none, the command ends and lists the known ones."""
    known = {product.name: product for product in plan.products}
    if name in known:
        return known[name]
    if name in plan.renamed:
        words.print(f"{name} is called {plan.renamed[name]} now", style="yellow", markup=False)
        return known[plan.renamed[name]]
    if name in (rejected.name for rejected in plan.rejected):
        stop(f'product "{name}" is not loaded: its spec has problems (above)', SPEC_INVALID)
    stop(unknown_text("product", name, known), CANNOT_RUN)


@dataclass(frozen=True, slots=True)
class Clocks:
    """The time zones of a plan's products, and the current time. Anything else uses UTC."""

    plan: MeshPlan
    now: datetime

    def moment(self, product: str, at: datetime | None) -> str:
        """`Mon 15 Jun, 05:00 CEST`."""
        return "-" if at is None else self._clock(product).moment(at)

    def minute(self, product: str, at: datetime) -> str:
        """`2026-06-15 05:00 CEST`."""
        return self._clock(product).minute(at)

    def _clock(self, product: str) -> Clock:
        known = next((candidate for candidate in self.plan.products if candidate.name == product), None)
        return Clock(known.zone if known is not None else "UTC", self.now)


def clocks(root: Path, products: Iterable[str]) -> Clocks:
    """The clocks of these products, read from their documents."""
    names = frozenset(products)
    return Clocks(read_plan(root, names)[0] if names else MeshPlan((), ()), datetime.now(UTC))
