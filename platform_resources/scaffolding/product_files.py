"""The files of a new product: product.yaml with what is guessed marked as such, its dbt model, and a README with a runbook."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from platform_resources.capabilities.support.sql_text import quoted
from platform_resources.plan import conventions
from platform_resources.scaffolding.column_guesses import classifications, comma_numbers, unit, updated_at
from platform_resources.scaffolding.key_guesses import key
from platform_resources.scaffolding.source_columns import Guess, SourceColumn, SourceFacts
from platform_resources.scaffolding.suggested_objectives import Suggestion, never_empty, suggestions
from platform_resources.spec.components import Column
from platform_resources.spec.data_classes import class_named
from platform_resources.spec.values.column_names import RESERVED, column_name, folded_column, needs_quotes
from platform_resources.spec.values.names import slug, title_of_name
from platform_resources.spec.values.type_names import type_name
from platform_resources.spec.values.yaml_text import flow_list, flow_mapping, scalar

_NESTED = ("struct", "map", "union", "row", "json")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the new product is called and what it is made from: fields of its input port, and the source's name for people.

    `notes` are what is to be said of the input port in comments. Where it reads another product, `columns` are what that says of them, by
    name. A product around a `model` of its own that is there already has no input port. Without a `title` or `description` there is a plain
    one.
    """

    domain: str
    name: str
    input: Mapping[str, Any]
    source: str
    notes: tuple[str, ...] = ()
    columns: Mapping[str, Column] = field(default_factory=dict)
    model: str = ""
    title: str = ""
    description: str = ""

    @property
    def data_set(self) -> str:
        return slug(self.model) or data_set_name(self.name)


@dataclass(frozen=True, slots=True)
class Guesses:
    """What is guessed of a whole product; of `key` only what is sure enough to be promised.

    `types` are those of columns that somebody wants otherwise than loaded, and `left_out` has the `promise_id` of each promise that nobody
    wants. `chosen`: somebody has gone through the key and the promises.
    """

    key: tuple[tuple[str, ...], Guess] | None
    updated_at: Guess | None
    classes: Mapping[str, Guess]
    types: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    chosen: bool = False

    @property
    def promised_key(self) -> tuple[str, ...]:
        """The guessed key, if it is sure enough to be promised; empty if not."""
        return self.key[0] if self.key is not None and self.key[1].confidence != "low" else ()

    @property
    def hidden(self) -> frozenset[str]:
        """The columns whose values are told nobody."""
        return frozenset(name for name, guess in self.classes.items() if class_named(guess.value).values == "hidden")

    def type_of(self, column: SourceColumn) -> str:
        """The type that is promised of it."""
        return self.types.get(column.name) or promised_type(column.type)


def guesses(source: SourceFacts) -> Guesses:
    """All that is guessed of a source whose columns are called as in the product."""
    return Guesses(key(source), updated_at(source.columns), classifications(source.columns))


def data_set_name(product: str) -> str:
    """The product's name, where SQL takes it as the name of a table."""
    return f"{product}_rows" if product in RESERVED else product


def input_name(product: str) -> str:
    """What the input port of a new product is called."""
    return f"{product}_source"


def product_names(columns: Sequence[str]) -> tuple[str, ...]:
    """What the product calls the columns of its source: the same, where a column may be called that and no other is."""
    names: list[str] = []
    taken = {folded_column(name) for name in columns if _plain(name) == name}
    for place, name in enumerate(columns, 1):
        chosen = _plain(name)
        if chosen != name or folded_column(name) in map(folded_column, names):
            base, number = chosen or f"column_{place}", 1
            chosen = base
            while folded_column(chosen) in taken or folded_column(chosen) in map(folded_column, names):
                number += 1
                chosen = f"{base}_{number}"
        names.append(chosen)
    return tuple(names)


def _plain(name: str) -> str:
    """The name itself if a column may have it; templates of dbt would read `{{` in it as their own."""
    try:
        return column_name(name) if not is_template(name) else slug(name)
    except ValueError:
        return slug(name)[:100]


def is_template(text: str) -> bool:
    """Whether dbt would take a part of it for its own."""
    return any(mark in text for mark in ("{{", "{%", "{#"))


def promised_type(kind: str) -> str:
    """The type of the load as a specification has it: nested values become JSON, and what has no name here text."""
    try:
        return type_name(kind)
    except ValueError:
        return "json" if kind.startswith(_NESTED) or kind.endswith("]") else "varchar"


def product_files(asked: Wanted, source: SourceFacts, names: Mapping[str, str], guessed: Guesses) -> dict[str, str]:
    """All files by their path. `names` has what each column is called in the source."""
    folder, model = conventions.product_folder(asked.domain, asked.name), asked.data_set
    objectives = [promise for promise in promises(asked, source, guessed) if promise_id(promise, source) not in guessed.left_out]
    files = {
        f"{folder}/product.yaml": _document(asked, source, guessed, objectives),
        f"{folder}/README.md": _readme(asked, source, guessed, objectives),
    }
    if asked.input:
        files[f"{conventions.models_folder(asked.domain, asked.name)}/{model}.sql"] = _model(asked, source, names, guessed)
    return files


def promise_id(promise: Suggestion, source: SourceFacts) -> str:
    """What stays the same of a promise when its columns get other names."""
    names, fields = [column.name for column in source.columns], promise.fields
    columns = fields.get("columns") or [fields[field] for field in ("column",) if field in fields]
    return " ".join([str(fields["dimension"]), *sorted(fields), *(str(names.index(name)) for name in columns)])


def promises(asked: Wanted, source: SourceFacts, guessed: Guesses) -> tuple[Suggestion, ...]:
    """All that are suggested, also those that are left out."""
    return suggestions(source, asked.data_set, guessed.promised_key, guessed.hidden)


def _document(asked: Wanted, source: SourceFacts, guessed: Guesses, objectives: Sequence[Suggestion]) -> str:
    components = "\n".join(_components(asked, source, guessed, objectives))
    lines = (f"    {line}".rstrip() for line in components.splitlines())
    head = (
        f"# Written by `mesh new product` from {_comment(asked.source)}, and the team's own from now on.\n"
        "# What was guessed is marked with how sure it is: read each `guess` once, mend what is wrong, and take the mark away.\n"
    )
    return f"{head}apiVersion: core.oam.dev/v1beta1\nkind: DataProduct\nspec:\n  components:\n" + "\n".join(lines) + "\n"


def _comment(text: str) -> str:
    """Text of others as a part of one line of comment."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _marked(line: str, guess: Guess) -> str:
    return f"{line}  # {guess.mark()}" if guess.mark() else line


def _components(asked: Wanted, source: SourceFacts, guessed: Guesses, objectives: Sequence[Suggestion]) -> Iterator[str]:
    model = asked.data_set
    yield f"- name: {asked.domain}\n  type: domain\n"
    yield f"""- name: {asked.name}
  type: data-product
  properties:
    title: {scalar(asked.title or title_of_name(asked.name))}
    description: {scalar(asked.description or f"What {asked.source} says, checked and published.")}
    lifecycle: draft
    archetype: {"aggregate" if asked.columns else "source-aligned"}
    support: {{runbook: "README.md#when-it-breaks"}}
    # When it is refreshed by itself; until then by hand: mesh refresh {asked.name}
    # refresh: {{cron: "0 6 * * *", timezone: Europe/Berlin}}
"""
    notes = "".join(f"# {_comment(note)}\n" for note in asked.notes)
    if asked.input:
        yield f"{notes}- name: {input_name(asked.name)}\n  type: input-port\n  properties: {flow_mapping(asked.input)}\n"
    yield f"- name: {model}\n  type: data-set\n  properties:\n{_data_set(asked, source, guessed)}\n"
    yield f"- name: {asked.name}_sql\n  type: output-port\n  properties: {{interface: sql, data_set: {model}}}\n"
    yield (
        "# Promises. All are met by the data of today, with room for the next delivery.\n"
        "# Another one to think of: {dimension: freshness, max_age: 26h}"
    )
    for objective in objectives:
        fields, reason = flow_mapping(objective.fields), f"{'' if guessed.chosen else 'guess: '}{objective.reason}"
        yield f"- name: {scalar(objective.name)}  # {reason}\n  type: service-level-asset\n  properties: {fields}\n"
    yield f"""- name: How many rows
  type: sample-query
  properties:
    port: {asked.name}_sql
    sql: {scalar(sample_query(source, model, guessed))}"""


def _data_set(asked: Wanted, source: SourceFacts, guessed: Guesses) -> str:
    lines: list[str] = [f"model: {scalar(asked.model)}"] if asked.model not in ("", asked.data_set) else []
    if guessed.key is not None:
        columns, guess = guessed.key
        promised = _marked(f"primary_key: {flow_list(columns)}", guess)
        lines += [f"description: {scalar(_row(columns))}", promised] if guessed.promised_key else [f"# {promised}"]
    else:
        why = "" if guessed.chosen else "No column, and no few columns together, were found to be unique: "
        lines.append(f"# {why}a primary_key is missing.")
    if guessed.updated_at is not None:
        lines.append(_marked(f"updated_at: {scalar(guessed.updated_at.value)}", guessed.updated_at))
    lines.append("columns:")
    lines += [f"  - {_column(source, column, guessed, asked.columns.get(column.name))}" for column in source.columns]
    return "\n".join(f"    {line}" for line in lines)


def _row(key: Sequence[str]) -> str:
    return f"One row per {', '.join(key[:-1])}{' and ' if len(key) > 1 else ''}{key[-1].removesuffix('.')}."


def _column(source: SourceFacts, column: SourceColumn, guessed: Guesses, said: Column | None) -> str:
    """`said` is what another product says of it."""
    fields: dict[str, Any] = {"name": column.name, "type": guessed.type_of(column)}
    required = column.name in guessed.promised_key or (guessed.updated_at is not None and column.name == guessed.updated_at.value)
    marks: list[str] = []
    if not required and not never_empty(source, column):
        fields["nullable"] = True
    if column.nulls == source.rows:
        is_guess = column.type == "varchar" and column.name not in guessed.types
        marks.append("guess (low): text, as no row has a value" if is_guess else "no row has a value")
    if said is not None:
        known = {"unit": said.unit, "identifier": said.identifier, "description": said.description}
        fields |= {name: value for name, value in known.items() if value}
    for name, guess in (("unit", unit(column)), ("classification", guessed.classes.get(column.name))):
        if guess is not None and name not in fields:
            fields[name] = guess.value
            marks.append(guess.mark(name))
    if (numbers := comma_numbers(column)) is not None:
        marks.append(numbers.mark(numbers.value))
    return flow_mapping(fields) + (f"  # {'; '.join(filter(None, marks))}" if any(marks) else "")


def sample_query(source: SourceFacts, model: str, guessed: Guesses) -> str:
    """How many rows there are of each known value of a column, or in all. Only columns that may be shown."""
    known = [column for column in source.columns if column.values and column.name not in guessed.hidden]
    if not known:
        return f"select count(*) as number_of_rows from {model}"
    column = min(known, key=lambda column: len(column.values))
    return f"select {_sql_name(column.name)}, count(*) as number_of_rows from {model} group by all order by all"


def _sql_name(name: str) -> str:
    return quoted(name) if needs_quotes(name) else name


def _model(asked: Wanted, source: SourceFacts, names: Mapping[str, str], guessed: Guesses) -> str:
    lines = ",\n".join(f"    {_selected(column, names[column.name], guessed.type_of(column))}" for column in source.columns)
    reads = f"{{{{ source('{asked.name}', '{input_name(asked.name)}') }}}}"
    return f"-- The source's rows, each column with its promised type.\nselect\n{lines}\nfrom {reads}\n"


def _selected(column: SourceColumn, name: str, kind: str) -> str:
    read = _sql_name(name)
    if is_template(read):
        read = f"{{{{ {json.dumps(read, ensure_ascii=False)} }}}}"
    value = f"to_json({read})" if kind == "json" and column.type != "json" else read
    return f"cast({value} as {kind}) as {_sql_name(column.name)}"


def _readme(asked: Wanted, source: SourceFacts, guessed: Guesses, objectives: Sequence[Suggestion]) -> str:
    model = asked.data_set
    row = _row(guessed.promised_key) if guessed.promised_key else "What one row is has to be written here."
    query = sample_query(source, model, guessed).replace('"', '\\"')
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(_steps(asked, guessed, objectives), 1))
    return f"""# {_comment(asked.title) or title_of_name(asked.name)}

{row} It is made from {_comment(asked.source)}.

**Who uses it.** Write here who needs it, and for what.

**First query.**

    mesh query {asked.name} "{query}"

## When it breaks

{steps}
"""


def _steps(asked: Wanted, guessed: Guesses, objectives: Sequence[Suggestion]) -> Iterator[str]:
    yield f"`mesh status {asked.name}` says which promise is missed and why. Consumers keep the last good version."
    port = input_name(asked.name)
    broken = f"the source or the input port `{port}`" if asked.input else "the models"
    yield f"A refresh that failed says why, of files with line and column: mend {broken}, then `mesh refresh {asked.name}`."
    where = f"; `mesh quarantine {asked.name}` lists keys of some" if set(guessed.promised_key) - guessed.hidden else ""
    for objective in objectives:
        if objective.fields.get("gate"):
            advice = f"Look for rows that were delivered twice{where}."
            yield f"**{objective.name}** is a gate: nothing is published while it is missed. {advice}"
    if any(objective.fields["dimension"] == "validity" for objective in objectives):
        yield "A value that was not promised is wrong at its source (tell its owner), or it is new: then widen the promise in product.yaml."
    yield "**The data came whole** is missed when a delivery has much fewer rows: ask for it again."
