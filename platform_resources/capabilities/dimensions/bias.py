"""The dimension `bias`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field, model_validator

from platform_resources.capabilities.conditions.expressions import condition_problems
from platform_resources.capabilities.judgements import Judgement, Moment, Promise, Verdict, worst
from platform_resources.capabilities.measures import CountIf, GroupCounts, Measure, Reading, Subject
from platform_resources.capabilities.protocols import Quotes, Traits
from platform_resources.capabilities.support.categories import declared_type, may_be_named
from platform_resources.capabilities.support.column_types import is_numeric
from platform_resources.capabilities.support.intervals import wilson
from platform_resources.capabilities.support.packed import unpacked
from platform_resources.capabilities.support.shares import amount, counted, number_text
from platform_resources.capabilities.support.sql_text import enclosed, quoted
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import ColumnName, Text

MOST_GROUPS = 1000
Share = Annotated[float, Field(ge=0, le=1)]
Part = tuple[Verdict, str]


class BiasSettings(Strict):
    """Whose outcomes are compared, which outcome is the good one, and how far apart groups may be."""

    group: ColumnName
    outcome: ColumnName | None = None
    condition: Text | None = None
    label: ColumnName | None = None
    ratio_at_least: Share = 0.8
    difference_at_most: Share | None = None
    opportunity_difference_at_most: Share | None = None
    minimum_group_size: Annotated[int, Field(ge=1)] = 30
    confidence: Annotated[float, Field(ge=50, lt=100)] = 95

    @model_validator(mode="after")
    def _one_outcome(self) -> "BiasSettings":
        if (self.outcome is None) == (self.condition is None):
            raise ValueError("write either outcome: <column> or condition: <condition>")
        if (self.label is None) != (self.opportunity_difference_at_most is None):
            raise ValueError("label and opportunity_difference_at_most belong together")
        return self


@dataclass(frozen=True, slots=True)
class Group:
    """One group: how many rows, and how many of them have the outcome."""

    name: str
    rows: int
    having: int

    @property
    def rate(self) -> float:
        """Share of its rows that have the favourable outcome, from 0 to 1."""
        return self.having / self.rows


@dataclass(frozen=True, slots=True)
class Apart:
    """The groups with the lowest and the highest rate, and how near all rates may be to each other within their intervals."""

    lowest: Group
    highest: Group
    least_difference: float
    greatest_ratio: float

    @property
    def difference(self) -> float:
        """How far the rates are apart, from 0 to 1."""
        return self.highest.rate - self.lowest.rate

    @property
    def ratio(self) -> float:
        """The lowest rate as a share of the highest; 1.0 where both are zero."""
        return self.lowest.rate / self.highest.rate if self.highest.having else 1.0


class Bias(Traits):
    """Whether an outcome (a column that is boolean or 0 and 1, or a condition) is about as frequent in each group of a column.

    With p the rate of the outcome in a group: demographic parity ratio = min p / max p (`ratio_at_least`; 0.8 is the customary
    four-fifths rule of the U.S. Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D) and difference = max p - min p
    (`difference_at_most`; Dwork et al., "Fairness through awareness", 2012). With a `label` of who deserved the outcome: equal opportunity
    difference, the same among rows whose label is true (Hardt, Price and Srebro, "Equality of opportunity in supervised learning", 2016).
    A breach counts only if chance does not explain it: if it remains where the Wilson intervals of all rates, at `confidence` percent,
    bring them nearest to each other. Groups of fewer than `minimum_group_size` rows are counted, not judged. Rows without a group or an
    outcome are left out. Names of groups are shown only if the column is declared and neither personal nor sensitive; else numbers,
    the largest group first.
    """

    name = "bias"
    config = BiasSettings
    measured_by = "audit"
    predicate = "does not treat all groups alike"
    quotes: Quotes = "columns"
    example = """
- name: Offers reach all age bands alike
  type: service-level-asset
  properties: {dimension: bias, data_set: customers, group: age_band, outcome: has_offer, ratio_at_least: 0.8}
- name: Good customers get credit in every region
  type: service-level-asset
  properties:
    dimension: bias
    data_set: customers
    group: region
    condition: credit_limit > 0
    label: paid_in_time
    opportunity_difference_at_most: 0.1
    minimum_group_size: 100
"""

    def promise(self, settings: BiasSettings, moment: Moment) -> Promise:
        """Of the ratio that was counted; the verdict also weighs what chance may have done."""
        return Promise("", settings.ratio_at_least or None)

    def columns_used(self, settings: BiasSettings) -> Mapping[str, tuple[str, ...]]:
        named = {"group": settings.group, "outcome": settings.outcome, "label": settings.label}
        return {name: (column,) for name, column in named.items() if column is not None}

    def problems(self, settings: BiasSettings, subject: Subject) -> Iterator[tuple[str, str, str]]:
        if settings.condition is not None:
            known = [column.name for column in subject.data_set.columns]
            yield from condition_problems("condition", settings.condition, known, "write a condition on one row")
        for written_as, column in (("outcome", settings.outcome), ("label", settings.label)):
            kind = declared_type(column, subject) if column is not None else None
            if kind is not None and kind != "boolean" and not is_numeric(kind):
                hint = "write condition: with what is the good outcome" if written_as == "outcome" else "compute such a column in the model"
                yield written_as, f"{column} is {kind}; it must be boolean, or a number that is 0 or 1", hint

    def measures(self, settings: BiasSettings, subject: Subject) -> Mapping[str, Measure]:
        known, having = _outcome(settings, subject)
        deserving = "false" if settings.label is None else _is_true(settings.label, subject)
        counts = (having, deserving, f"{enclosed(having)} and {deserving}")
        measures: dict[str, Measure] = {f"odd {column}": CountIf(_odd(column, subject)) for column in _flags(settings)}
        measures["grouped"] = CountIf(f"{enclosed(known)} and {quoted(settings.group)} is not null")
        named = may_be_named(settings.group, subject)
        measures["groups"] = GroupCounts(settings.group, known, counts, settings.minimum_group_size, MOST_GROUPS + 1, named)
        return measures

    def judge(self, settings: BiasSettings, readings: Mapping[str, Reading], subject: Subject, moment: Moment) -> Judgement:
        threshold = ", ".join(_promises(settings))
        odd = next((column for column in _flags(settings) if counted(readings, f"odd {column}")), None)
        if odd is not None:
            why = f"{odd} is neither 0 nor 1 in {amount(counted(readings, f'odd {odd}'))}"
            return Judgement("unknown", f"{why}, so nothing can be compared", threshold=threshold)
        groups, deserving = _groups(settings, readings["groups"].value)
        parts = [*_parity(settings, groups)]
        if settings.opportunity_difference_at_most is not None:
            parts += _opportunity(settings, deserving)
        verdict = worst(part for part, _ in parts)
        reasons = dict.fromkeys(text for part, text in parts if part == verdict)
        left_out = counted(readings, "grouped") - sum(group.rows for group in groups)
        small = (f"{amount(left_out)} in smaller groups are not judged",) if left_out and len(groups) <= MOST_GROUPS else ()
        value = _value(settings, groups, deserving)
        return Judgement(verdict, "; ".join((*reasons, *small)), value, threshold, shown="" if value is None else f"{value:.3g}")


def _value(settings: BiasSettings, groups: Sequence[Group], deserving: Sequence[Group]) -> float | None:
    """What the first promise is about: the ratio, the difference, or that among those who deserve the outcome."""
    judged = groups if settings.ratio_at_least or settings.difference_at_most is not None else deserving
    if _comparable(judged) is not None:
        return None
    apart = _apart(settings, judged)
    return apart.ratio if settings.ratio_at_least else apart.difference


def _flags(settings: BiasSettings) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column for column in (settings.outcome, settings.label) if column is not None))


def _odd(column: str, subject: Subject) -> str:
    return "false" if declared_type(column, subject) == "boolean" else f"{quoted(column)} not in (0, 1)"


def _is_true(column: str, subject: Subject) -> str:
    return quoted(column) if declared_type(column, subject) == "boolean" else f"{quoted(column)} = 1"


def _outcome(settings: BiasSettings, subject: Subject) -> tuple[str, str]:
    """SQL for whether a row has any outcome, and for whether it has the good one."""
    if settings.outcome is not None:
        return f"{quoted(settings.outcome)} is not null", _is_true(settings.outcome, subject)
    condition = enclosed(settings.condition or "")
    return f"{condition} is not null", condition


def _groups(settings: BiasSettings, packed: object) -> tuple[list[Group], list[Group]]:
    """All groups that are large enough, and those that are also among the rows whose label is true."""
    rows = unpacked(packed, 5) if isinstance(packed, str) else ()
    names = [row[-1] or f"group {number}" for number, row in enumerate(rows, 1)]
    groups = [Group(name, int(row[0]), int(row[1])) for name, row in zip(names, rows, strict=True)]
    deserving = [Group(name, int(row[2]), int(row[3])) for name, row in zip(names, rows, strict=True)]
    return groups, [group for group in deserving if group.rows >= settings.minimum_group_size]


def _comparable(groups: Sequence[Group]) -> str | None:
    """Why groups cannot be compared, if they cannot."""
    if len(groups) > MOST_GROUPS:
        return f"there are more than {MOST_GROUPS:,} groups"
    return None if len(groups) > 1 else f"{'only 1 group has' if groups else 'no group has'} enough rows"


def _apart(settings: BiasSettings, groups: Sequence[Group]) -> Apart:
    bounds = [wilson(group.having, group.rows, settings.confidence) for group in groups]
    low, high = max(low for low, _ in bounds), min(high for _, high in bounds)
    nearest = (max(0.0, low - high), min(1.0, high / low) if low else 1.0)
    by_rate = sorted(groups, key=lambda group: group.rate)
    return Apart(by_rate[0], by_rate[-1], *nearest)


def _parity(settings: BiasSettings, groups: Sequence[Group]) -> Iterator[Part]:
    why_not = _why_not(settings, groups, "")
    if why_not is not None:
        yield "unknown", why_not
        return
    apart, sure = _apart(settings, groups), number_text(settings.confidence)
    if settings.ratio_at_least:
        text = f"ratio {apart.ratio:.3g}, at most {apart.greatest_ratio:.3g} by {sure} % intervals"
        promised = f"at least {number_text(settings.ratio_at_least)} promised"
        yield _met(apart.greatest_ratio >= settings.ratio_at_least), f"{_rates(apart)}: {text}; {promised}"
    if settings.difference_at_most is not None:
        yield _difference(apart, settings.difference_at_most, "difference", sure)


def _opportunity(settings: BiasSettings, groups: Sequence[Group]) -> Iterator[Part]:
    why_not = _why_not(settings, groups, f" where {settings.label} is true")
    if why_not is not None or settings.opportunity_difference_at_most is None:
        yield "unknown", why_not or ""
        return
    apart, sure = _apart(settings, groups), number_text(settings.confidence)
    yield _difference(apart, settings.opportunity_difference_at_most, f"difference where {settings.label} is true", sure)


def _why_not(settings: BiasSettings, groups: Sequence[Group], where: str) -> str | None:
    """Without a single good outcome all groups are equal, but that says nothing about how they are treated."""
    why = _comparable(groups)
    if why is not None:
        reason = f"{why} (at least {settings.minimum_group_size})" if len(groups) < 2 else why
        return f"{reason}{where}, so nothing can be compared"
    return None if any(group.having for group in groups) else f"the outcome is true in no row{where}, so nothing can be compared"


def _difference(apart: Apart, at_most: float, what: str, sure: str) -> Part:
    text = f"{what} {apart.difference:.3g}, at least {apart.least_difference:.3g} by {sure} % intervals"
    return _met(apart.least_difference <= at_most), f"{_rates(apart)}: {text}; at most {number_text(at_most)} promised"


def _rates(apart: Apart) -> str:
    low, high = (f"{100 * group.rate:.1f} % of {amount(group.rows)} ({group.name})" for group in (apart.lowest, apart.highest))
    return f"from {low} to {high}"


def _met(holds: bool) -> Verdict:
    return "met" if holds else "missed"


def _promises(settings: BiasSettings) -> Iterator[str]:
    if settings.ratio_at_least:
        yield f"ratio at least {number_text(settings.ratio_at_least)}"
    if settings.difference_at_most is not None:
        yield f"difference at most {number_text(settings.difference_at_most)}"
    if settings.opportunity_difference_at_most is not None:
        yield f"difference of opportunity at most {number_text(settings.opportunity_difference_at_most)}"


CAPABILITY = Bias()
