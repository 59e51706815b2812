"""How an objective names another relation of its product, an input port or a data set, and columns there."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import Field, model_validator

from platform_resources.capabilities.measures import Relation, Subject
from platform_resources.capabilities.support.shares import amount
from platform_resources.spec.problems import did_you_mean, known_text
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.column_names import folded_column
from platform_resources.spec.values.field_types import ColumnName, Text

ColumnNames = Annotated[tuple[ColumnName, ...], Field(min_length=1)]


class Reference(Strict):
    """Key columns of an input port or of a data set of the same product. Columns of an input have whatever names they have there."""

    input: Text | None = None
    data_set: Text | None = None
    columns: Annotated[tuple[Text, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_of(self) -> "Reference":
        if (self.input is None) == (self.data_set is None):
            raise ValueError("write either input: <input port> or data_set: <data set>, and its columns")
        return self

    @property
    def name(self) -> str:
        return self.input or self.data_set or ""

    def relation(self, subject: Subject) -> Relation:
        """The relation meant. Raises KeyError for a name that `reference_problems` reports."""
        return self.known(subject)[self.name]

    def known(self, subject: Subject) -> Mapping[str, Relation]:
        """What the name is looked up in: the product's input ports or its data sets."""
        return subject.inputs if self.data_set is None else subject.data_sets


def unknown_relation(written_as: str, name: str, data_set: str | None, known: Mapping[str, Relation]) -> tuple[str, str, str]:
    """The problem of a name that no input port has, or no data set where `data_set` is written."""
    what = "input port" if data_set is None else "data set"
    return written_as, f'unknown {what} "{name}"; known: {known_text(known)}', did_you_mean(name, known)


def reference_problems(
    reference: Reference, written_as: str, keys: Sequence[str], keys_written_as: str, subject: Subject
) -> Iterator[tuple[str, str, str]]:
    """An unknown input or data set, and key columns that do not pair off."""
    known = reference.known(subject)
    if reference.name not in known:
        yield unknown_relation(written_as, reference.name, reference.data_set, known)
    columns = subject.declared[known[reference.name]] if known.get(reference.name) in subject.declared else ()
    for column in reference.columns:
        yield from unknown_reference_column(written_as, column, reference.name, columns)
    if len(keys) != len(reference.columns):
        here, there = ", ".join(keys), ", ".join(reference.columns)
        hint = "write as many columns on both sides, in the same order"
        yield (
            keys_written_as,
            f"{amount(len(keys), 'key column')} here ({here}) but {len(reference.columns)} in {reference.name} ({there})",
            hint,
        )


def unknown_reference_column(written_as: str, column: str, name: str, declared: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """A column that what is compared with does not promise; capitals make no difference. Nothing is said where it promises none."""
    if declared and folded_column(column) not in map(folded_column, declared):
        yield written_as, f'no column "{column}" in {name}; known: {known_text(declared)}', did_you_mean(column, declared)
