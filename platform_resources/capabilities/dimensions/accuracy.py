"""The dimension `accuracy`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pydantic import Field, model_validator

from platform_resources.capabilities.judgements import Judgement, Kind, Moment, Promise, worst
from platform_resources.capabilities.measures import (
    Elsewhere,
    Measure,
    PairCount,
    Pairing,
    Reading,
    Relation,
    RowCount,
    Scalar,
    Subject,
)
from platform_resources.capabilities.protocols import Quotes, Traits
from platform_resources.capabilities.repairs.repair import Repair
from platform_resources.capabilities.support.categories import declared_type
from platform_resources.capabilities.support.column_types import is_numeric
from platform_resources.capabilities.support.comparisons import Part, share, totals, within
from platform_resources.capabilities.support.references import unknown_reference_column, unknown_relation
from platform_resources.capabilities.support.shares import amount, counted, number_text
from platform_resources.capabilities.support.sql_text import quoted, relation_sql
from platform_resources.capabilities.support.tolerances import ToleranceText, tolerance_of
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import ColumnName, Percent, Text


class ReferenceData(Strict):
    """What is taken to be right: an input port or a data set of the same product, with its key columns."""

    input: Text | None = None
    data_set: Text | None = None
    columns: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _one_of(self) -> "ReferenceData":
        if (self.input is None) == (self.data_set is None):
            raise ValueError("write either input: <input port> or data_set: <data set>")
        return self

    @property
    def name(self) -> str:
        return self.input or self.data_set or ""

    def known(self, subject: Subject) -> Mapping[str, Relation]:
        """Where its name is looked up: among the inputs, or the product's own data sets."""
        return subject.inputs if self.data_set is None else subject.data_sets


class Counterpart(Strict):
    """The column of the reference that a column here is compared with, and how far they may lie apart."""

    reference: Text | None = None
    tolerance: ToleranceText = "0"


class AccuracySettings(Strict):
    """The reference, and what must agree with it: keys, values row by row, sums, the number of rows."""

    reference: ReferenceData
    keys: tuple[ColumnName, ...] = ()
    matched_at_least: Percent = 100
    compare: dict[ColumnName, Counterpart] = Field(default_factory=dict)
    agree_at_least: Percent = 100
    sums: dict[ColumnName, Counterpart] = Field(default_factory=dict)
    rows: ToleranceText | None = None

    @model_validator(mode="after")
    def _promises_something(self) -> "AccuracySettings":
        if not self.keys and not self.sums and self.rows is None:
            raise ValueError("write at least one of keys, sums, rows")
        if not self.keys and (self.compare or self.reference.columns):
            raise ValueError("keys is missing: the columns here by which rows find those of the reference")
        if len(self.keys) != len(self.reference.columns):
            here, there = amount(len(self.keys), "key column"), len(self.reference.columns)
            raise ValueError(f"{here} here but {there} in the reference; write as many in reference.columns, in the same order")
        return self


class Accuracy(Traits):
    """Whether the data agrees with a reference that is taken to be right: an input port or another data set of the product.

    `keys` find for each row the one of the reference: `matched_at_least` percent of the rows with a key must find one. Of those found,
    `agree_at_least` percent must agree in each column of `compare`: equal (two nulls are), or numbers at most `tolerance` apart, where
    `0.5 %` is of the reference's value. Each of `sums`, and with `rows` the number of rows, must be as in the reference, within their
    tolerance. A key that the reference has several times cannot be compared, which is unknown.
    """

    name = "accuracy"
    config = AccuracySettings
    measured_by = "audit"
    predicate = "does not agree with its reference"
    quotes: Quotes = "columns"
    example = """
- name: Orders agree with the ledger
  type: service-level-asset
  properties:
    dimension: accuracy
    data_set: orders
    reference: {input: ledger, columns: [order_number]}
    keys: [order_id]
    matched_at_least: 99.9
    compare:
      status: {}
      net_sales: {reference: amount, tolerance: 0.01}
    agree_at_least: 99.5
- name: Revenue is as the ledger has it
  type: service-level-asset
  properties:
    dimension: accuracy
    data_set: orders
    reference: {input: ledger}
    sums: {net_sales: {reference: amount, tolerance: 0.5 %}}
    rows: 1 %
"""

    def learned_kind(self, settings: AccuracySettings) -> Kind:
        return "share"

    def promise(self, settings: AccuracySettings, moment: Moment) -> Promise:
        return Promise("%")

    def columns_used(self, settings: AccuracySettings) -> Mapping[str, tuple[str, ...]]:
        named = {"keys": settings.keys, "compare": tuple(settings.compare), "sums": tuple(settings.sums)}
        return {name: columns for name, columns in named.items() if columns}

    def problems(self, settings: AccuracySettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        reference, known = settings.reference, settings.reference.known(subject)
        if reference.name not in known:
            yield unknown_relation("reference", reference.name, reference.data_set, known)
        elif known[reference.name] == subject.relation:
            yield "reference", "the data set would be compared with itself", "name what it is made from, or another data set"
        else:
            yield from _reference_columns(settings, subject.declared.get(known[reference.name], ()))
        for written_as, columns in (("compare", settings.compare), ("sums", settings.sums)):
            for column, counterpart in columns.items():
                kind = declared_type(column, subject)
                if kind is not None and not is_numeric(kind) and (written_as == "sums" or tolerance_of(counterpart.tolerance).size):
                    message = f"{column} is {kind}, and only numbers have a {'sum' if written_as == 'sums' else 'tolerance'}"
                    yield written_as, message, "take it away" if written_as == "sums" else "take the tolerance away"

    def measures(self, settings: AccuracySettings, subject: Subject) -> Mapping[str, Measure]:
        reference = settings.reference.known(subject)[settings.reference.name]
        measures: dict[str, Measure] = {"rows": RowCount()}
        if settings.rows is not None:
            measures["rows there"] = Elsewhere(RowCount(), reference)
        for column, counterpart in settings.sums.items():
            measures[f"sum of {column}"] = Scalar(f"sum({quoted(column)})")
            measures[_sum_there(column)] = Elsewhere(Scalar(f"sum({quoted(counterpart.reference or column)})"), reference)
        return measures | dict(_pair_measures(settings, reference))

    def judge(self, settings: AccuracySettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        parts = list(_parts(settings, readings))
        verdict, threshold = worst(part.verdict for part in parts), ", ".join(_promises(settings))
        reason = "; ".join(part.text for part in parts if part.verdict == verdict)
        deciding = _lowest([part for part in parts if part.verdict == verdict])
        lowest = deciding or _lowest(parts)
        if lowest is None:
            return Judgement(verdict, reason, threshold=threshold)
        judgement = Judgement(verdict, reason, lowest.percent, threshold, shown=lowest.shown, promise=Promise("%", lowest.at_least))
        return (
            judgement
            if deciding is None
            else replace(judgement, failing_rows=deciding.failing_rows, failing=deciding.failing, rows=deciding.rows)
        )

    def repairs(self, settings: AccuracySettings, subject: Subject, failing: Sequence[str]) -> Iterator[Repair]:
        """The reference's value, for rows whose key it has once."""
        relation = settings.reference.known(subject)[settings.reference.name]
        keys = [quoted(column) for column in settings.reference.columns]
        same = " and ".join(f"there.{key} = here.{quoted(column)}" for key, column in zip(keys, settings.keys, strict=True))
        for column, counterpart in settings.compare.items():
            compared = counterpart.reference or column
            value = f"min({quoted(compared)}) as reference_value"
            there = f"select {', '.join(keys)}, {value} from {relation_sql(relation)} group by {', '.join(keys)} having count(*) = 1"
            source = f"{relation_sql(subject.relation)} as here join ({there}) as there on {same}"
            agree = _agree(f"here.{quoted(column)}", "there.reference_value", counterpart)
            mends = f"there.reference_value is not null and not ({agree})"
            what = f"it becomes the value of {settings.reference.name}"
            yield Repair(column, what, "there.reference_value", mends, source, taken_from=(relation, compared))


def _lowest(parts: Sequence[Part]) -> Part | None:
    """The lowest share among them; None if there is no share."""
    return min((part for part in parts if part.percent is not None), key=lambda part: part.percent or 0.0, default=None)


def _reference_columns(settings: AccuracySettings, declared: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Columns that the reference has not, where it says which ones it has."""
    of_values = (("compare", settings.compare), ("sums", settings.sums))
    named = [("reference", column) for column in settings.reference.columns]
    named += [(written_as, counterpart.reference or column) for written_as, columns in of_values for column, counterpart in columns.items()]
    for written_as, column in named:
        yield from unknown_reference_column(written_as, column, settings.reference.name, declared)


def _pair_measures(settings: AccuracySettings, reference: Relation) -> Iterator[tuple[str, Measure]]:
    """All counts of one pairing, so that one query answers them."""
    if not settings.keys:
        return
    there = tuple(counterpart.reference or column for column, counterpart in settings.compare.items())
    pairing = Pairing(settings.keys, reference, settings.reference.columns, tuple(settings.compare), there)
    yield "keyed", PairCount(pairing, "keyed")
    yield "unmatched", PairCount(pairing, "keyed and copies is null")
    if settings.compare:
        yield "ambiguous", PairCount(pairing, "copies > 1")
    for index, (column, counterpart) in enumerate(settings.compare.items()):
        yield _disagreeing(column), PairCount(pairing, f"copies = 1 and not ({_agree(f'h{index}', f'v{index}', counterpart)})")


def _sum_there(column: str) -> str:
    """Told by its beginning from the sum of any column, as of one that is called `amount there`."""
    return f"sum there of {column}"


def _disagreeing(column: str) -> str:
    return f"disagreeing {column}"


def _agree(here: str, there: str, counterpart: Counterpart) -> str:
    """SQL for whether two values agree. The greater less the lesser has no sign, so that unsigned numbers cannot overflow below zero.

    An infinite reference has no share of itself that says anything: only infinity agrees with it.
    """
    tolerance = tolerance_of(counterpart.tolerance)
    same = f"{here} is not distinct from {there}"
    if not tolerance.size:
        return same
    size = f"{tolerance.size:f}"
    allowed = f"{size} * abs({there}) and isfinite(cast({there} as double))" if tolerance.relative else size
    near = f"greatest({here}, {there}) - least({here}, {there}) <= {allowed}"
    return f"{same} or ({here} is not null and {there} is not null and {near})"


def _parts(settings: AccuracySettings, readings: Mapping[str, Reading]) -> Iterator[Part]:
    if settings.keys:
        yield from _row_by_row(settings, readings)
    for column, counterpart in settings.sums.items():
        here, there = readings[f"sum of {column}"].value, readings[_sum_there(column)].value
        yield totals(f"the sum of {column}", here, there, counterpart.tolerance, settings.reference.name)
    if settings.rows is not None:
        here, there = readings["rows"].value, readings["rows there"].value
        yield totals("the number of rows", here, there, settings.rows, settings.reference.name)


def _row_by_row(settings: AccuracySettings, readings: Mapping[str, Reading]) -> Iterator[Part]:
    keyed, unmatched = counted(readings, "keyed"), counted(readings, "unmatched")
    names, name = ", ".join(settings.keys), settings.reference.name
    if keyed == 0:
        why = "there are no rows" if counted(readings, "rows") == 0 else f"every row lacks {names}"
        yield Part("unknown", f"{why}, so nothing can be compared")
        return
    yield share(keyed - unmatched, keyed, settings.matched_at_least, f"{names} is found in {name} for", "row", "unmatched")
    if not settings.compare:
        return
    matched, ambiguous = keyed - unmatched, counted(readings, "ambiguous")
    if matched == 0:
        yield Part("unknown", "no row is found there, so no value can be compared")
    elif ambiguous:
        verb = "has" if ambiguous == 1 else "have"
        yield Part("unknown", f"{amount(ambiguous)} {verb} a key that {name} has several times, so values cannot be compared")
    else:
        for column in settings.compare:
            agreeing = matched - counted(readings, _disagreeing(column))
            yield share(agreeing, matched, settings.agree_at_least, f"{column} agrees in", "matched row", _disagreeing(column))


def _promises(settings: AccuracySettings) -> Iterator[str]:
    if settings.keys:
        yield f"at least {number_text(settings.matched_at_least)} % matched"
    if settings.compare:
        yield f"at least {number_text(settings.agree_at_least)} % agreeing"
    for column, counterpart in settings.sums.items():
        yield f"sum of {column}: {within(counterpart.tolerance)}"
    if settings.rows is not None:
        yield f"rows: {within(settings.rows)}"


CAPABILITY = Accuracy()
