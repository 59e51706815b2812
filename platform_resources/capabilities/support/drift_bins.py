"""Which bins a drift objective counts, and what share of the rows each had before and has now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from platform_resources.capabilities.measures import (
    CategoryCounts,
    Compared,
    CountIf,
    Elsewhere,
    Measure,
    NullCount,
    Reading,
    Relation,
    RowCount,
    Scalar,
    Subject,
)
from platform_resources.capabilities.support.categories import category_predicate, declared_type, may_be_named
from platform_resources.capabilities.support.packed import unpacked
from platform_resources.capabilities.support.shares import amount, counted, number_text
from platform_resources.capabilities.support.sql_text import as_number, finite
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import Percent, Text

MOST_CATEGORIES = 100
ROUNDING = 0.5
Number = Annotated[float, Field(allow_inf_nan=False)]


class DriftReference(Strict):
    """What was before: edges of bins with the share of each, categories with theirs, or a column of an input port or data set."""

    edges: Annotated[tuple[Number, ...], Field(min_length=1, max_length=100)] | None = None
    shares: tuple[Percent, ...] | None = None
    categories: Annotated[Mapping[Text, Percent], Field(min_length=1)] | None = None
    input: Text | None = None
    data_set: Text | None = None
    column: Text | None = None
    bins: Annotated[int, Field(ge=2, le=100)] | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "DriftReference":
        elsewhere = [name for name in (self.input, self.data_set) if name is not None]
        if len(elsewhere) + (self.shares is not None) + (self.categories is not None) != 1:
            raise ValueError("write one of: edges with shares, categories, input: <input port>, data_set: <data set>")
        if not elsewhere and (self.column, self.bins) != (None, None):
            raise ValueError("column and bins belong to input or data_set")
        if self.edges is not None and (self.categories is not None or self.bins is not None):
            raise ValueError("edges go with shares, or with input or data_set, and not with categories or bins")
        if self.edges is not None and any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("edges must rise from one to the next")
        if self.shares is not None:
            _check_shares(self.edges, self.shares)
        if self.categories is not None:
            _check_sum(tuple(self.categories.values()), at_most=True)
        return self

    @property
    def name(self) -> str | None:
        return self.input if self.data_set is None else self.data_set

    @property
    def numeric(self) -> bool:
        """Whether it compares numbers in bins, not values by name."""
        return self.edges is not None or self.bins is not None

    def known(self, subject: Subject) -> Mapping[str, Relation]:
        """Where its name is looked up: among the inputs, or the product's own data sets."""
        return subject.inputs if self.data_set is None else subject.data_sets

    def relation(self, subject: Subject) -> Relation:
        """Where the reference is counted. Raises KeyError for a name that is none."""
        return self.known(subject)[self.name or ""]


def _check_shares(edges: Sequence[float] | None, shares: Sequence[float]) -> None:
    if edges is None:
        raise ValueError("shares belong to edges; write categories for shares of named values")
    if len(shares) != len(edges) + 1:
        bins = f"{len(edges) + 1} bins (up to the first edge, between the edges, above the last)"
        raise ValueError(f"{amount(len(shares), 'share')} for {bins}; write one share for each")
    _check_sum(shares, at_most=False)


def _check_sum(shares: Sequence[float], *, at_most: bool) -> None:
    """A missing rest of categories is the share of all others."""
    total = sum(shares)
    if total > 100 + ROUNDING or (total < 100 - ROUNDING and not at_most) or total == 0:
        raise ValueError(f"the shares sum up to {number_text(round(total, 6))} %; they are percentages, 100 in all")


@dataclass(frozen=True, slots=True)
class Bin:
    """A bin and its share of the rows, 0 to 1, before and now."""

    label: str
    before: float
    now: float


def bin_measures(column: str, reference: DriftReference, subject: Subject) -> Mapping[str, Measure]:
    """What counts the bins, here and in a reference elsewhere.

    Numbers are counted up to each edge, in the scan of all other checks: on 20.9 million rows that adds 0.07 s of CPU for ten bins, against
    0.41 s grouped by a CASE and 3.5 s for bins between quantiles that are measured first (benchmarks/distributions.py).
    """
    if reference.name is None:
        return _frozen_measures(column, reference, subject)
    relation, there = reference.relation(subject), reference.column or column
    counts: dict[str, Measure] = {"rows before": Elsewhere(RowCount(), relation), "nulls before": Elsewhere(NullCount(there), relation)}
    if reference.edges is not None:
        before = {_before(_up_to(edge)): Elsewhere(CountIf(_at_most(there, edge)), relation) for edge in reference.edges}
        return {**counts, **_edge_measures(column, reference.edges), **before}
    if reference.bins is None:
        named = may_be_named(column, subject)
        return {**counts, "categories": CategoryCounts(column, relation, there, MOST_CATEGORIES, named)}
    return {**counts, **_quantile_measures(column, there, relation, reference.bins)}


def _frozen_measures(column: str, reference: DriftReference, subject: Subject) -> Mapping[str, Measure]:
    if reference.categories is None:
        return _edge_measures(column, reference.edges or ())
    declared = declared_type(column, subject)
    return {_of(name): CountIf(category_predicate(column, name, declared)) for name in reference.categories}


def _edge_measures(column: str, edges: Sequence[float]) -> Mapping[str, Measure]:
    return {_up_to(edge): CountIf(_at_most(column, edge)) for edge in edges}


def _quantile_measures(column: str, there: str, relation: Relation, number: int) -> Mapping[str, Measure]:
    """Edges that cut the reference into bins of equally many rows."""
    measures: dict[str, Measure] = {}
    for part in range(1, number):
        edge = f"quantile_cont({finite(there)}, {part / number:.6g})"
        measures[f"edge {part}"] = Elsewhere(Scalar(edge), relation)
        measures[f"up to edge {part}"] = Compared(column, "<=", edge, relation)
        measures[_before(f"up to edge {part}")] = Elsewhere(Compared(there, "<=", edge, relation), relation)
    return measures


def bins(reference: DriftReference, readings: Mapping[str, Reading], filled: int) -> tuple[Bin, ...]:
    """The bins with their shares now, of so many filled rows, and before; none if there was nothing before."""
    if reference.name is None:
        return _frozen_bins(reference, readings, filled)
    filled_before = counted(readings, "rows before") - counted(readings, "nulls before")
    if filled_before == 0:
        return ()
    if reference.edges is None and reference.bins is None:
        return _category_bins(readings["categories"], filled, filled_before)
    names, edges = _measured_edges(reference, readings)
    if not names:
        return ()
    now, before = _steps(names, readings, filled), _steps([_before(name) for name in names], readings, filled_before)
    return tuple(map(Bin, _labels(edges), before, now))


def _measured_edges(reference: DriftReference, readings: Mapping[str, Reading]) -> tuple[list[str], list[float]]:
    """The readings that count up to each edge, and the edges; none if the reference holds no number that is finite."""
    if reference.edges is not None:
        return [_up_to(edge) for edge in reference.edges], list(reference.edges)
    parts = range(1, reference.bins or 0)
    edges = [float(value) for part in parts if isinstance(value := readings[f"edge {part}"].value, int | float)]
    return ([f"up to edge {part}" for part in parts], edges) if len(edges) == len(parts) else ([], [])


def _frozen_bins(reference: DriftReference, readings: Mapping[str, Reading], filled: int) -> tuple[Bin, ...]:
    if reference.categories is None:
        edges = reference.edges or ()
        now, whole = _steps([_up_to(edge) for edge in edges], readings, filled), sum(reference.shares or ())
        return tuple(map(Bin, _labels(edges), (share / whole for share in reference.shares or ()), now))
    rows = {name: counted(readings, _of(name)) for name in reference.categories}
    whole = max(100.0, sum(reference.categories.values()))
    before = {name: share / whole for name, share in reference.categories.items()}
    return _with_others([Bin(name, before[name], count / filled) for name, count in rows.items()])


def _category_bins(reading: Reading, filled: int, filled_before: int) -> tuple[Bin, ...]:
    """Values that may not be told, and empty ones, have numbers, the most frequent first."""
    rows = unpacked(str(reading.value), 3) if reading.value is not None else ()
    numbered = ((name or f"value {number}", int(before), int(now)) for number, (before, now, name) in enumerate(rows, start=1))
    return _with_others([Bin(name, before / filled_before, now / filled) for name, before, now in numbered])


def _with_others(named: Sequence[Bin]) -> tuple[Bin, ...]:
    """A last bin for what has no name; left out where there was and is nothing in it. Rounding alone makes nothing."""
    before, now = (max(0.0, 1 - sum(shares)) for shares in ([share.before for share in named], [share.now for share in named]))
    return (*named, Bin("others", before, now)) if before > 1e-9 or now > 1e-9 else tuple(named)


def _steps(names: Sequence[str], readings: Mapping[str, Reading], filled: int) -> list[float]:
    """The shares of the bins from counts up to each edge; the last is what is above all edges."""
    up_to = [0, *(counted(readings, name) for name in names), filled]
    return [(high - low) / filled for low, high in pairwise(up_to)]


def _labels(edges: Sequence[float]) -> list[str]:
    between = [f"above {low:.6g} to {high:.6g}" for low, high in pairwise(edges)]
    return [f"up to {edges[0]:.6g}", *between, f"above {edges[-1]:.6g}"]


def _at_most(column: str, edge: float) -> str:
    return f"{as_number(column)} <= {edge!r}"


def _up_to(edge: float) -> str:
    return f"up to {edge!r}"


def _of(category: str) -> str:
    return f"rows of {category}"


def _before(name: str) -> str:
    return f"{name}, before"
