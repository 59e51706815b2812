"""Does each former name belong to one thing alone, which has another name now?"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from platform_resources.plan import conventions
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.spec.problems import Problem
from platform_resources.spec.product import Declared, Product, former_names
from platform_resources.spec.values.column_names import folded_column
from platform_resources.spec.values.names import fold, is_name

_BEFORE = "write what it was called before"
_GOES_ON = "history goes on under one name; list every former name of a thing at the thing itself, and name nothing else so"


def renames_hold(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """A former name is nobody's name now and nobody else's former name: else two things would claim one history."""
    yield from _product_problems(mesh, product)
    for group in (product.data_sets, product.input_ports, product.output_ports, product.objectives, product.indicators):
        yield from _component_problems(group)
    for data_set in product.data_sets:
        yield from _column_problems(data_set)


def _product_problems(mesh: Mesh, product: Product) -> Iterator[Problem]:
    for former in product.info.renamed_from or ():
        now = mesh.by_folded_name.get(fold(former), ())
        unread = next((unread for unread in mesh.unreadable if fold(unread.name) == fold(former)), None)
        others = [other for other in mesh.products if other is not product and former in (other.info.renamed_from or ())]
        if not is_name(former):
            message = f'"{former}" never was the name of a product: that has small letters, digits and _ alone'
            yield product.origin.problem("renamed_from", message, _BEFORE)
        elif product in now:
            yield product.origin.problem("renamed_from", f'"{former}" is what the product is called now', _BEFORE)
        elif now:
            chained = "; it was renamed itself" if now[0].info.renamed_from else ""
            message = f'"{former}" is still the name of the product in {now[0].file}{chained}'
            yield product.origin.problem("renamed_from", message, _GOES_ON)
        elif unread is not None:
            message = f'"{former}" is still the name of the product in {unread.file}, which cannot be read'
            yield product.origin.problem("renamed_from", message, _GOES_ON)
        elif others:
            yield product.origin.problem("renamed_from", f'{others[0].name} says too that it was called "{former}"', _GOES_ON)


def _component_problems(components: Sequence[Declared[Any]]) -> Iterator[Problem]:
    known = {fold(component.name): component for component in components}
    claimed: dict[str, Declared[Any]] = {}
    for component in components:
        for former in former_names(component):
            other = known.get(fold(former))
            if not former:
                yield component.origin.problem(
                    "renamed_from", "a former name has no letter and no digit", "write what it was called before"
                )
            elif former in conventions.RESERVED_NAMES and component.type in ("input-port", "output-port"):
                message = f'"{former}" is reserved for the platform, so no port was ever called that'
                yield component.origin.problem("renamed_from", message, _BEFORE)
            elif other is component:
                yield component.origin.problem("renamed_from", f'"{former}" is its name now', _BEFORE)
            elif other is not None:
                chained = ", which was renamed itself" if other.config.renamed_from else ""
                message = f'"{former}" is still the name of another {other.type}{chained}'
                yield component.origin.problem("renamed_from", message, _GOES_ON)
            elif fold(former) in claimed:
                message = f'"{claimed[fold(former)].title}" says too that it was called "{former}"'
                yield component.origin.problem("renamed_from", message, _GOES_ON)
            claimed.setdefault(fold(former), component)


def _column_problems(data_set: Declared[Any]) -> Iterator[Problem]:
    """The column of the former name may still be there: then it is offered beside the new one."""
    claimed: dict[str, str] = {}
    for column in data_set.config.columns:
        for former in map(folded_column, column.renamed_from or ()):
            problem = _column_problem(data_set, column.name, former, claimed)
            if problem:
                yield data_set.origin.problem("columns", problem, _GOES_ON)
            claimed.setdefault(former, column.name)


def _column_problem(data_set: Declared[Any], name: str, former: str, claimed: Mapping[str, str]) -> str:
    chained = [c.name for c in data_set.config.columns if folded_column(c.name) == former and c.renamed_from]
    if folded_column(name) == former:
        return f"column {name}: renamed_from is what it is called now"
    if chained:
        return f'column {name}: "{former}" is still the name of a column, which was renamed itself'
    return f'column {name}: column {claimed[former]} says too that it was called "{former}"' if former in claimed else ""
