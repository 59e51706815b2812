"""Merge what a team's own dbt YAML says of a data set's model with what product.yaml says; dbt itself takes one description of a model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.plan.from_products.written_tests import written_test
from platform_resources.spec.document import Document, Place, read_document
from platform_resources.spec.problems import Problem, did_you_mean, known_text
from platform_resources.spec.product import Product, model_name
from platform_resources.spec.values.names import fold
from platform_resources.spec.values.type_names import type_name

_TESTS = ("data_tests", "tests")


@dataclass(frozen=True, slots=True)
class OwnDescription:
    """A team's entry for one model, and where it stands."""

    document: Document
    place: Place
    entry: Mapping[str, Any]

    @property
    def columns(self) -> Mapping[str, tuple[Place, Mapping[str, Any]]]:
        """Place and entry of each column, by its folded name."""
        written = self.entry.get("columns")
        entries = enumerate(written if isinstance(written, list) else ())
        return {fold(str(entry["name"])): ((*self.place, "columns", i), entry) for i, entry in entries if _named(entry)}


def own_descriptions(mesh: Mesh, product: Product) -> dict[str, tuple[OwnDescription, ...]]:
    """What dbt YAML beside the models says of data sets' models, by the model's name; more than one where a team says it twice."""
    promised = {model_name(data_set) for data_set in product.data_sets}
    found: dict[str, tuple[OwnDescription, ...]] = {}
    for file, text in mesh.texts_of(product).properties.items():
        document = read_document(text, file)
        entries = document.data.get("models") if isinstance(document, Document) and isinstance(document.data, dict) else None
        for position, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(document, Document) and _named(entry) and entry["name"] in promised:
                own = OwnDescription(document, ("models", position), entry)
                found[entry["name"]] = (*found.get(entry["name"], ()), own)
    return found


def merged(model: Mapping[str, Any], own: OwnDescription) -> dict[str, Any]:
    """The entry for dbt: what product.yaml says, and all else that the team says. Descriptions in product.yaml go first."""
    kept = {key: value for key, value in own.entry.items() if key != "columns"}
    columns = [_merged_column(column, own.columns.get(fold(str(column["name"])), ((), {}))[1]) for column in model.get("columns", ())]
    config = {**(own.entry.get("config") or {}), **model.get("config", {})}
    return {**kept, **model, **({"config": config} if config else {}), **({"columns": columns} if columns else _own_columns(own))}


def _own_columns(own: OwnDescription) -> dict[str, Any]:
    return {"columns": own.entry["columns"]} if own.entry.get("columns") else {}


def _merged_column(column: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A test or constraint that both ask for is asked for once."""
    kept = {key: value for key, value in own.items() if key not in _TESTS}
    tests = _without_repeats((*column.get("data_tests", ()), *(test for key in _TESTS for test in own.get(key) or ())))
    given = own.get("constraints") or ()
    constraints = [*column.get("constraints", ()), *(each for each in given if each not in column.get("constraints", ()))]
    more = {"data_tests": tests, "constraints": constraints}
    return {**kept, **column, **{key: value for key, value in more.items() if value}}


def _without_repeats(tests: tuple[Any, ...]) -> list[Any]:
    asked: list[Any] = []
    for test in tests:
        written = written_test(test) if isinstance(test, str | dict) and test else None
        same = (written.kind, written.arguments, written.config) if written is not None else test
        if same not in [known for known, _ in asked]:
            asked.append((same, test))
    return [test for _, test in asked]


def contradictions(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Where a team's dbt YAML and product.yaml say different things of one data set."""
    data_sets = {model_name(data_set): data_set for data_set in reversed(product.data_sets)}
    for name, (own, *others) in own_descriptions(mesh, product).items():
        yield from (
            again.document.problem(
                again.place, f'model "{name}" is described twice, also in {own.document.file}', "dbt takes one description"
            )
            for again in others
        )
        columns = {fold(column.name): column for column in data_sets[name].config.columns}
        place = f'product.yaml, data set "{data_sets[name].title}"'
        contract = (own.entry.get("config") or {}).get("contract") or own.entry.get("contract") or {}
        if columns and isinstance(contract, dict) and contract.get("enforced") is False:
            message = f'the contract of model "{name}" is switched off, and {place} promises its columns'
            yield own.document.problem((*own.place, "config"), message, "leave contract out: the platform enforces it")
        for folded, (where, entry) in own.columns.items() if columns else ():
            column = columns.get(folded)
            if column is None:
                known = [each.name for each in columns.values()]
                message = f'model "{name}" has no column "{entry["name"]}" in {place}; known: {known_text(known)}'
                yield own.document.problem(where, message, did_you_mean(str(entry["name"]), known) or "declare the column there, too")
                continue
            written = entry.get("data_type")
            if isinstance(written, str) and _type(written) != column.type:
                message = f"column {column.name} is {written} here and {column.type} in {place}"
                yield own.document.problem((*where, "data_type"), message, "let both say the same, or leave data_type out here")
            if column.nullable and _refuses_nulls(entry):
                message = f"column {column.name} has no nulls here, and is nullable in {place}"
                yield own.document.problem(where, message, "take away not_null here, or nullable: yes there")


def _type(written: str) -> str:
    """The type as product.yaml spells it; as it is written where it is none."""
    try:
        return type_name(written)
    except ValueError:
        return written


def _refuses_nulls(column: Mapping[str, Any]) -> bool:
    tests = [test for key in _TESTS for test in column.get(key) or () if isinstance(test, str | dict) and test]
    constraints = [each.get("type") for each in column.get("constraints") or () if isinstance(each, dict)]
    return "not_null" in constraints or any(written_test(test).kind == "not_null" for test in tests)


def _named(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str)
