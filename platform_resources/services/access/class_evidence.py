"""Guess which columns of a product are personal from its published data, and write what is confirmed into its product.yaml."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from platform_resources.capabilities.support.column_types import is_numeric
from platform_resources.capabilities.support.sql_text import literal, quoted
from platform_resources.detection.class_guesses import ClassGuess, ColumnEvidence, SampleCheck, class_guesses
from platform_resources.detection.detectors import DETECTORS, Detector
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.consumer_queries import published_version, queried
from platform_resources.services.migrating.yaml_edits import with_value
from platform_resources.spec.document import Document, Place, read_document
from platform_resources.spec.values.column_names import folded_column
from platform_resources.spec.values.field_types import UNCLASSIFIED

SAMPLE = 1_000
_DATES = ("date", "timestamp", "timestamptz")
_WITH_DIGITS = tuple(detector for detector in DETECTORS if detector.data_class == "sensitive")
# Gives all rows of a SELECT.
Ask = Callable[[str], Sequence[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Classified:
    """A column that probably needs a class, the class product.yaml declares now, and its place there (empty if it is not declared)."""

    data_set: str
    guess: ClassGuess
    now: str
    said_itself: bool
    place: Place = ()


def guessed_classes(state: Path, product: ProductPlan, text: str, now: datetime) -> tuple[Classified, ...]:
    """Guess classes from names and data of the newest version. Raises NothingPublished, QueryFailed, VersionsUnreadable."""
    publication = published_version(state, product.domain, product.name)
    document = read_document(text, product.place.file)
    classified: list[Classified] = []
    for data_set in product.data_sets:
        port = next((port for port in publication.ports if port.data_set == data_set.name), None)
        if port is not None:
            evidence = column_evidence(_asking(state, product), data_set.name, port.columns, now)
            places = dict(_places(document, data_set)) if isinstance(document, Document) else {}
            classified += [_classified(data_set, guess, places) for guess in class_guesses(evidence)]
    return tuple(classified)


def _asking(state: Path, product: ProductPlan) -> Ask:
    return lambda sql: queried(state, product.domain, product.name, sql, is_ours=True)[1]


def column_evidence(ask: Ask, relation: str, columns: Mapping[str, str], now: datetime) -> tuple[ColumnEvidence, ...]:
    """Count, per column, the values that look like personal data: in one scan of all rows and a sample. Returns no value."""
    asked = {name: tuple(_detectors(kind)) for name, kind in columns.items()}
    counts = _counted(ask, relation, columns, asked, now)
    checked = _checked(ask, relation, {name: [d for d in those if counts[name, d.name]] for name, those in asked.items()})
    return tuple(
        ColumnEvidence(
            name,
            kind == "boolean",
            counts[name, "filled"],
            {detector.name: counts[name, detector.name] for detector in asked[name]},
            checked.get(name, {}),
            counts.get((name, "old"), 0),
            counts.get((name, "years"), 0),
        )
        for name, kind in columns.items()
    )


def _detectors(kind: str) -> Iterator[Detector]:
    """All of text; of whole numbers those that may be written without anything else."""
    if kind == "varchar":
        yield from DETECTORS
    elif is_numeric(kind) and kind.partition("(")[0] not in ("float", "double"):
        yield from _WITH_DIGITS


def _counted(
    ask: Ask, relation: str, columns: Mapping[str, str], asked: Mapping[str, Sequence[Detector]], now: datetime
) -> dict[tuple[str, str], int]:
    measures: dict[tuple[str, str], str] = {}
    for name, kind in columns.items():
        column = quoted(name)
        measures[name, "filled"] = f"count({column})"
        for detector in asked[name]:
            measures[name, detector.name] = f"count_if(regexp_full_match(cast({column} as varchar), {literal(detector.pattern)}))"
        if kind in _DATES:
            day = f"cast({column} as date)"
            measures[name, "old"] = f"count_if({day} < date '{now:%Y-%m-%d}' - interval 16 year and {day} > date '1900-01-01')"
            measures[name, "years"] = f"coalesce(year(max({day})) - year(min({day})), 0)"
    (row,) = ask(f"select {', '.join(measures.values())} from {quoted(relation)}")
    return {measure: int(value or 0) for measure, value in zip(measures, row, strict=True)}


def _checked(ask: Ask, relation: str, doubtful: Mapping[str, Sequence[Detector]]) -> dict[str, dict[str, SampleCheck]]:
    """Of at most so many values that look like each detector's, chosen at random, how many hold."""
    checks: dict[str, dict[str, SampleCheck]] = {}
    for name, detectors in doubtful.items():
        for detector in detectors:
            if detector.holds is not None:
                value = f"cast({quoted(name)} as varchar)"
                like = f"select {value} as value from {quoted(relation)} where regexp_full_match({value}, {literal(detector.pattern)})"
                values = [str(value) for (value,) in ask(f"select value from ({like}) using sample reservoir({SAMPLE} rows)")]
                checks.setdefault(name, {})[detector.name] = SampleCheck(len(values), sum(detector.holds(value) for value in values))
    return checks


def _classified(data_set: DataSetPlan, guess: ClassGuess, places: Mapping[str, tuple[Place, bool]]) -> Classified:
    column = next((column for column in data_set.spec.columns if folded_column(column.name) == folded_column(guess.column)), None)
    place, said_itself = places.get(folded_column(guess.column), ((), False))
    return Classified(data_set.name, guess, column.classification if column is not None else UNCLASSIFIED, said_itself, place)


def _places(document: Document, data_set: DataSetPlan) -> Iterator[tuple[str, tuple[Place, bool]]]:
    """Where the classification of each column is written or would be, and whether it is."""
    components = document.data["spec"]["components"]
    at = next((at for at, c in enumerate(components) if c["type"] == "data-set" and c["name"] == data_set.title), None)
    if at is None:
        return
    place: Place = ("spec", "components", at, "properties", "columns")
    columns = components[at]["properties"].get("columns", [])
    if isinstance(columns, dict):
        place, columns = (*place, "value"), columns["value"]
    for number, column in enumerate(columns):
        yield folded_column(column["name"]), ((*place, number, "classification"), "classification" in column)


def to_write(classes: Sequence[Classified], restriction: Callable[[str], int]) -> tuple[Classified, ...]:
    """The columns without a class of their own in product.yaml for which a more restricted class was guessed."""
    return tuple(c for c in classes if c.place and not c.said_itself and restriction(c.guess.data_class) > restriction(c.now))


def written_classes(text: str, chosen: Sequence[Classified]) -> str:
    """The document with these classes added; comments and everything else stay. Raises CannotEdit."""
    for column in chosen:
        text = with_value(text, column.place, column.guess.data_class)
    return text
