"""The rules that a promise about a distribution may be: usual ranges, shares of categories, active entities; and what they measure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from platform_resources.capabilities.measures import Compared, Elsewhere, Entities, Measure, Relation, Scalar, Subject
from platform_resources.capabilities.support.categories import declared_type
from platform_resources.capabilities.support.references import ColumnNames
from platform_resources.capabilities.support.shares import number_text
from platform_resources.capabilities.support.sql_text import finite
from platform_resources.spec.strict import Strict
from platform_resources.spec.values.field_types import ColumnName, Duration, Percent, Text

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class UsualRange(Strict):
    """What is usual: fences around the middle half, some standard deviations, or quantiles; of the column itself or of a reference."""

    iqr: Positive | None = None
    deviations: Positive | None = None
    quantiles: tuple[Fraction, Fraction] | None = None
    input: Text | None = None
    data_set: Text | None = None
    column: Text | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "UsualRange":
        if sum(form is not None for form in (self.iqr, self.deviations, self.quantiles)) != 1:
            raise ValueError("write exactly one of iqr: 1.5, deviations: 3, quantiles: [0.01, 0.99]")
        if self.input is not None and self.data_set is not None:
            raise ValueError("write either input: <input port> or data_set: <data set>")
        if self.quantiles is not None and self.quantiles[0] >= self.quantiles[1]:
            raise ValueError(f"the first quantile ({self.quantiles[0]:g}) must be below the second ({self.quantiles[1]:g})")
        if self.quantiles is not None and self.name is None:
            raise ValueError(
                "of a column's own quantiles the same share lies outside whatever happens; add input or data_set to compare with"
            )
        return self

    @property
    def name(self) -> str | None:
        return self.input if self.data_set is None else self.data_set

    def known(self, subject: Subject) -> Mapping[str, Relation]:
        """Where its name is looked up: among the inputs, or the product's own data sets."""
        return subject.inputs if self.data_set is None else subject.data_sets

    def relation(self, subject: Subject) -> Relation:
        """Where the usual values are read from."""
        return subject.relation if self.name is None else self.known(subject)[self.name]


class ShareBounds(Strict):
    """Between which percentages a category's share of the filled rows lies."""

    min: Percent = 0
    max: Percent = 100

    @model_validator(mode="after")
    def _in_order(self) -> "ShareBounds":
        if not self.model_fields_set:
            raise ValueError("write min, max or both")
        if self.min > self.max:
            raise ValueError(f"min ({self.min:g}) is above max ({self.max:g})")
        return self

    @property
    def text(self) -> str:
        if self.max == 100:
            return f"at least {number_text(self.min)} %"
        return f"at most {number_text(self.max)} %" if self.min == 0 else f"{number_text(self.min)} to {number_text(self.max)} %"


class QuietEntities(Strict):
    """Which entities have fallen silent: those without an event for so long, though they had some in the time before."""

    entities: ColumnNames
    event_time: ColumnName
    quiet_for: Duration
    active_within: Duration = timedelta(days=30)
    at_least_events: Annotated[int, Field(ge=1)] = 1
    until: Literal["newest-event", "now"] = "newest-event"


def check_possible(shares: Mapping[str, ShareBounds], others: Literal["allow", "forbid"]) -> None:
    """Raises ValueError for bounds that no rows can keep."""
    least, most = (sum(Decimal(str(end)) for end in ends) for ends in ([b.min for b in shares.values()], [b.max for b in shares.values()]))
    if least > 100:
        raise ValueError(f"the least shares sum up to {number_text(least)} %, which is more than all rows")
    if others == "forbid" and most < 100:
        raise ValueError(
            f"the greatest shares sum up to {number_text(most)} %, and the rest would be of other categories, which are forbidden"
        )


def range_measures(column: str, usual: UsualRange, subject: Subject) -> Mapping[str, Measure]:
    """The ends of what is usual, and the rows beside them."""
    relation = usual.relation(subject)
    low, high = _fences(usual, finite(usual.column or column))
    return {
        "low": Elsewhere(Scalar(low), relation),
        "high": Elsewhere(Scalar(high), relation),
        "below": Compared(column, "<", low, relation),
        "above": Compared(column, ">", high, relation),
    }


def _fences(usual: UsualRange, value: str) -> tuple[str, str]:
    """The two ends as aggregates of `value`.

    `iqr`: k times the interquartile range beyond the quartiles (Tukey, Exploratory Data Analysis, 1977; 1.5 inner, 3 outer fences).
    `deviations`: a billionth of the mean is added, because the mean of equal fractions differs from them in its last digit.
    """
    if usual.quantiles is not None:
        low, high = usual.quantiles
        return f"quantile_cont({value}, {low:g})", f"quantile_cont({value}, {high:g})"
    if usual.iqr is not None:
        first, third = f"quantile_cont({value}, 0.25)", f"quantile_cont({value}, 0.75)"
        return f"{first} - {usual.iqr:g} * ({third} - {first})", f"{third} + {usual.iqr:g} * ({third} - {first})"
    mean, spread = f"avg({value})", f"({usual.deviations:g} * stddev_pop({value}) + 1e-9 * abs(avg({value})))"
    return f"{mean} - {spread}", f"{mean} + {spread}"


def entity_measures(quiet: QuietEntities, subject: Subject) -> Mapping[str, Measure]:
    """The entities that were active, and those of them that are quiet."""
    zoned = declared_type(quiet.event_time, subject) == "timestamptz"
    quiet_for, active_within = int(quiet.quiet_for.total_seconds()), int(quiet.active_within.total_seconds())
    active = Entities(quiet.entities, quiet.event_time, quiet_for, active_within, quiet.at_least_events, False, quiet.until, zoned)
    return {"active": active, "quiet": replace(active, quiet=True)}
