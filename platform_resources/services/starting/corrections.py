"""What somebody corrects of the guesses about a new product: its columns, key and promises, and what it is called."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from platform_resources.scaffolding.product_files import Guesses, is_template
from platform_resources.scaffolding.source_columns import Guess
from platform_resources.services.starting.new_meshes import CannotBegin
from platform_resources.services.starting.new_products import NewProduct
from platform_resources.spec.data_classes import DataClass
from platform_resources.spec.problems import unknown_text
from platform_resources.spec.values.column_names import column_name, folded_column
from platform_resources.spec.values.type_names import type_name

LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class ColumnWish:
    """One column as somebody wants it; an empty class is none."""

    name: str
    type: str
    classification: str = ""
    key: bool = False


@dataclass(frozen=True, slots=True)
class Wishes:
    """Columns in the order of the source; `updated_at` is one of them or empty; `left_out` are promises by `promise_id`."""

    title: str
    description: str
    columns: tuple[ColumnWish, ...]
    updated_at: str = ""
    left_out: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> "Wishes":
        """From what `asdict` and JSON have made of it."""
        columns = tuple(ColumnWish(**wish) for wish in data["columns"])
        return cls(data["title"], data["description"], columns, data["updated_at"], frozenset(data["left_out"]))


def wishes_of(new: NewProduct) -> Wishes:
    """The guesses, as if somebody wished for them."""
    guessed = new.guessed
    columns = (
        ColumnWish(
            column.name,
            guessed.type_of(column),
            guessed.classes[column.name].value if column.name in guessed.classes else "",
            column.name in guessed.promised_key,
        )
        for column in new.source.columns
    )
    updated_at = guessed.updated_at.value if guessed.updated_at is not None else ""
    return Wishes(new.asked.title, new.asked.description, tuple(columns), updated_at, guessed.left_out)


def corrected(new: NewProduct, wishes: Wishes, classes: Sequence[DataClass]) -> NewProduct:
    """The product as it is wished for. Raises CannotBegin, with everything that cannot be."""
    problems = tuple(_problems(new, wishes, classes))
    if problems:
        raise CannotBegin("\n".join(problems))
    names = [wish.name for wish in wishes.columns]
    said = Guess("", "confirmed", "confirmed")
    source = replace(new.source, columns=tuple(replace(column, name=name) for column, name in zip(new.source.columns, names, strict=True)))
    key = tuple(wish.name for wish in wishes.columns if wish.key)
    types = {wish.name: type_name(wish.type) for wish in wishes.columns}
    hidden = {wish.name: replace(said, value=wish.classification) for wish in wishes.columns if wish.classification}
    guessed = Guesses(
        (key, replace(said, value=", ".join(key))) if key else None,
        replace(said, value=wishes.updated_at) if wishes.updated_at else None,
        hidden,
        types,
        wishes.left_out,
        chosen=True,
    )
    asked = replace(new.asked, title=wishes.title.strip(), description=wishes.description.strip())
    old = (column.name for column in new.source.columns)
    return NewProduct(asked, source, {name: new.names[before] for name, before in zip(names, old, strict=True)}, guessed, new.variables)


def _problems(new: NewProduct, wishes: Wishes, classes: Sequence[DataClass]) -> Iterator[str]:
    if len(wishes.columns) != len(new.source.columns):
        yield f"the source has {len(new.source.columns)} columns by now, and {len(wishes.columns)} were told; begin again"
        return
    for what, text in (("title", wishes.title), ("description", wishes.description)):
        if len(text) > LONGEST_TEXT or any(not letter.isprintable() for letter in text):
            yield f"the {what} is one line of at most {LONGEST_TEXT} characters"
    known = [data_class.name for data_class in classes]
    for wish in wishes.columns:
        for read, value in ((column_name, wish.name), (type_name, wish.type)):
            try:
                read(value)
            except ValueError as error:
                yield f"{wish.name}: {'; '.join(map(str, error.args))}"
        if is_template(wish.name):
            yield f"{wish.name}: a name has no braces, which dbt would read as its own"
        if wish.classification and wish.classification not in known:
            yield f"{wish.name}: {unknown_text('class', wish.classification, known)}"
    twice = [name for name, times in Counter(folded_column(wish.name) for wish in wishes.columns).items() if times > 1]
    if twice:
        yield f"more than one column is called {', '.join(twice)}"
    if wishes.updated_at and wishes.updated_at not in [wish.name for wish in wishes.columns]:
        yield unknown_text("column", wishes.updated_at, [wish.name for wish in wishes.columns])
