"""Run the audit's scans: measures and profile together, skipping days that have not changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from platform_resources.capabilities.measures import Reading
from platform_resources.capabilities.support.shares import amount
from platform_resources.measuring.merging import mergings
from platform_resources.measuring.metrics import Asked
from platform_resources.plan.model_plans import DataSetPlan
from platform_resources.plan.plan import ProductPlan
from platform_resources.refresh.profiled_relations import ProfiledDataSet, keep, profile, subjects
from platform_resources.warehouses.discretion import discretion
from platform_resources.warehouses.measured_queries import measure
from platform_resources.warehouses.protocol import Days, Merged, ProductDatabase


@dataclass(frozen=True, slots=True)
class Scanned:
    """The readings by id, and of every data set that is kept by day how many of its days were scanned; None if all of it was."""

    readings: Mapping[str, Reading]
    days: Mapping[str, Days | None]


def scanned(database: ProductDatabase, product: ProductPlan, asked: Iterable[Asked]) -> Scanned:
    """The reading of everything asked; the profiles of the product's data sets are kept in the database."""
    essential, words = tuple(asked), discretion(database, product).words
    profiled = subjects(database, product)
    of_days = _of_days(database, product, essential, {subject.data_set: subject for subject in profiled})
    known = {metric: reading for scanned_set in of_days.values() for metric, reading in scanned_set.answers.items()}
    extra = [question for subject in profiled for question in subject.asked]
    readings = measure(essential, database.within_limits, extra, known, words, database.ruled_out)
    for subject in profiled:
        keep(database, subject, profile(database, subject, readings, words))
    return Scanned(readings, {data_set: by_day.days for data_set, by_day in of_days.items()})


def _of_days(
    database: ProductDatabase, product: ProductPlan, asked: Iterable[Asked], profiled: Mapping[str, ProfiledDataSet]
) -> dict[str, Merged]:
    """What can be told from days, of the data sets that are kept by day."""
    by_day = [data_set for data_set in product.data_sets if data_set.spec.partition_by and database.exists(data_set.relation)]
    return {data_set.name: _of_data_set(database, data_set, asked, profiled.get(data_set.name)) for data_set in by_day}


def _of_data_set(database: ProductDatabase, data_set: DataSetPlan, asked: Iterable[Asked], profiled: ProfiledDataSet | None) -> Merged:
    wanted = mergings(question for question in asked if question.relation == data_set.relation)
    of_profile = profiled.mergings if profiled is not None else {}
    return database.by_day(data_set.measured, data_set.spec.partition_by or "", {**of_profile, **wanted})


def days_text(data_set: str, days: Days | None) -> str:
    """How much of a data set was scanned, for the log of an audit."""
    if days is None:
        return f"{data_set}: all rows were scanned, nothing could be told day by day"
    rest = "" if days.scanned == days.all else "; the others have not changed"
    return f"{data_set}: {days.scanned:,} of {amount(days.all, 'day')} {'was' if days.scanned == 1 else 'were'} scanned{rest}"
