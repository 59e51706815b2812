"""Merge what a team's own dbt YAML says of a data set's model with what product.yaml says; dbt itself takes one description of a model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.written_tests import written_test
from platform_resources.spec.components import Column, DataSet
from platform_resources.spec.document import Document, Place, read_document
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Declared, Product, model_name
from platform_resources.spec.values.names import fold
from platform_resources.spec.values.type_names import type_name

_TESTS = ("data_tests", "tests")
_LISTS = (*_TESTS, "constraints")


@dataclass(frozen=True, slots=True)
class OwnDescription:
    """A team's entry for one model, and where it stands."""

    document: Document
    place: Place
    entry: Mapping[str, Any]

    @property
    def columns(self) -> Mapping[str, tuple[Place, Mapping[str, Any]]]:
        """Place and entry of each column, by its folded name."""
        entries = enumerate(_list(self.entry, "columns"))
        return {fold(entry["name"]): ((*self.place, "columns", i), entry) for i, entry in entries if _named(entry)}


def own_descriptions(mesh: Mesh, product: Product) -> dict[str, tuple[OwnDescription, ...]]:
    """What dbt YAML beside the models says of data sets' models, by the model's name; more than one where a team says it twice."""
    promised = {model_name(data_set) for data_set in product.data_sets}
    descriptions: dict[str, tuple[OwnDescription, ...]] = {}
    for file, text in mesh.texts_of(product).properties.items():
        document = read_document(text, file)
        if not isinstance(document, Document) or not isinstance(document.data, dict):
            continue
        for position, entry in enumerate(_list(document.data, "models")):
            if _named(entry) and entry["name"] in promised:
                own = OwnDescription(document, ("models", position), entry)
                descriptions[entry["name"]] = (*descriptions.get(entry["name"], ()), own)
    return descriptions


def merged(model: Mapping[str, Any], own: OwnDescription) -> dict[str, Any]:
    """The entry for dbt: what product.yaml says, and all else that the team says. Descriptions in product.yaml go first."""
    written = own.columns
    columns = [_merged_column(column, written.get(fold(str(column["name"])), ((), {}))[1]) for column in model.get("columns", ())]
    config = {**_mapping(own.entry, "config"), **model.get("config", {})}
    both = {"config": config, "columns": columns or _list(own.entry, "columns")}
    return {**own.entry, **model, **{key: value for key, value in both.items() if value}}


def _merged_column(column: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A test or constraint that both ask for is asked for once."""
    kept = {key: value for key, value in own.items() if key not in _TESTS}
    promised = column.get("constraints", [])
    tests = _without_repeats((*column.get("data_tests", ()), *_tests(own)))
    constraints = [*promised, *(constraint for constraint in _list(own, "constraints") if constraint not in promised)]
    more = {"data_tests": tests, "constraints": constraints}
    return {**kept, **column, **{key: value for key, value in more.items() if value}}


def _without_repeats(tests: tuple[Any, ...]) -> list[Any]:
    asked: list[Any] = []
    for test in tests:
        same = _asked(test) or test
        if same not in [known for known, _ in asked]:
            asked.append((same, test))
    return [test for _, test in asked]


def _asked(test: Any) -> tuple[str, Mapping[str, Any], Mapping[str, Any]] | None:
    """Kind, arguments and config of a test; None of one in dbt's form with `test_name`, and of what is none."""
    if isinstance(test, str) or (isinstance(test, dict) and len(test) == 1 and isinstance(next(iter(test.values())), dict | None)):
        written = written_test(test)
        return written.kind, written.arguments, written.config
    return None


def contradictions(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Where a team's dbt YAML and product.yaml say different things of one data set, or where dbt could not take what the team says."""
    data_sets = {model_name(data_set): data_set for data_set in reversed(product.data_sets)}
    for name, (own, *others) in own_descriptions(mesh, product).items():
        for again in others:
            message = f'model "{name}" is described twice, also in {own.document.file}'
            yield again.document.problem(again.place, message, "dbt takes one description")
        malformed = tuple(_malformed(own))
        yield from malformed or _disagreements(own, name, data_sets[name])


def _malformed(own: OwnDescription) -> Iterator[Problem]:
    yield from _of_another_form(own.document, own.place, own.entry, {"config": dict, "columns": list, **dict.fromkeys(_LISTS, list)})
    for position, column in enumerate(_list(own.entry, "columns")):
        where = (*own.place, "columns", position)
        if _named(column):
            yield from _of_another_form(own.document, where, column, {"config": dict, **dict.fromkeys(_LISTS, list)})
        else:
            yield own.document.problem(where, "a column needs a name", "write - name: …")


def _of_another_form(document: Document, place: Place, entry: Mapping[str, Any], forms: Mapping[str, type]) -> Iterator[Problem]:
    for key, form in forms.items():
        if entry.get(key) is not None and not isinstance(entry[key], form):
            yield document.problem((*place, key), f"{key} must be a {'list' if form is list else 'mapping'}")


def _disagreements(own: OwnDescription, name: str, data_set: Declared[DataSet]) -> Iterator[Problem]:
    columns = {fold(column.name): column for column in data_set.config.columns}
    if not columns:
        return
    place = f'product.yaml, data set "{data_set.title}"'
    contract = _mapping(own.entry, "config").get("contract") or own.entry.get("contract")
    if isinstance(contract, dict) and contract.get("enforced") is False:
        message = f'the contract of model "{name}" is switched off, and {place} promises its columns'
        yield own.document.problem((*own.place, "config"), message, "leave contract out: the platform enforces it")
    known = [column.name for column in columns.values()]
    for folded, (where, entry) in own.columns.items():
        if folded in columns:
            yield from _of_column(own.document, where, entry, columns[folded], place)
        else:
            message = f'model "{name}" has no column "{entry["name"]}" in {place}; known: {known_text(known)}'
            problem = own.document.problem(where, message, did_you_mean(entry["name"], known) or "declare the column there, too")
            asked = any(entry.get(key) for key in _LISTS)
            yield problem if asked else replace(problem, severity="warning")


def _of_column(document: Document, where: Place, entry: Mapping[str, Any], column: Column, place: str) -> Iterator[Problem]:
    written = entry.get("data_type")
    if isinstance(written, str) and _type(written) != column.type:
        message = f"column {column.name} is {written} here and {column.type} in {place}"
        yield document.problem((*where, "data_type"), message, "let both say the same, or leave data_type out here")
    if column.nullable and _refuses_nulls(entry):
        message = f"column {column.name} has no nulls here, and is nullable in {place}"
        yield document.problem(where, message, "take away not_null here, or nullable: yes there")


def _type(written: str) -> str:
    """The type as product.yaml spells it; as it is written where it is none."""
    try:
        return type_name(written)
    except ValueError:
        return written


def _refuses_nulls(column: Mapping[str, Any]) -> bool:
    constraints = [constraint.get("type") for constraint in _list(column, "constraints") if isinstance(constraint, dict)]
    return "not_null" in constraints or any(asked[0] == "not_null" for asked in map(_asked, _tests(column)) if asked is not None)


def _tests(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(test for key in _TESTS for test in _list(entry, key))


def _list(entry: Mapping[str, Any], key: str) -> list[Any]:
    return entry[key] if isinstance(entry.get(key), list) else []


def _mapping(entry: Mapping[str, Any], key: str) -> dict[str, Any]:
    return entry[key] if isinstance(entry.get(key), dict) else {}


def _named(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str)
