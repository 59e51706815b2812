"""The audit's scans: what objectives ask, the profile in the same scan, and unchanged days not scanned again."""

from collections.abc import Iterable, Mapping

from platform_resources.capabilities.measures import Reading
from platform_resources.planning.merging import mergings
from platform_resources.planning.metrics import Asked, Metric
from platform_resources.planning.plan import DataSetPlan, ProductPlan
from platform_resources.warehouses.duckdb import ProductDatabase
from platform_resources.warehouses.measuring import measure
from platform_resources.warehouses.partitions import merged
from platform_resources.warehouses.profiling import Subject, keep, profile, subjects


def scanned(database: ProductDatabase, product: ProductPlan, asked: Iterable[Asked]) -> dict[str, Reading]:
    """The reading of everything asked, by id; the profiles of the product's data sets are kept in the database."""
    essential = tuple(asked)
    profiled = subjects(database, product)
    known = _of_days(database, product, essential, {subject.data_set: subject for subject in profiled})
    extra = [each for subject in profiled for each in subject.asked]
    readings = measure(essential, database.within_limits, extra, known)
    for subject in profiled:
        keep(database, subject, profile(database, subject, readings))
    return readings


def _of_days(
    database: ProductDatabase, product: ProductPlan, asked: Iterable[Asked], profiled: Mapping[str, Subject]
) -> dict[Metric, Reading]:
    """What can be told from days, of the data sets that are kept by day."""
    by_day = [data_set for data_set in product.data_sets if data_set.spec.partition_by and database.exists(data_set.relation)]
    found = (_of_data_set(database, data_set, asked, profiled.get(data_set.name)) for data_set in by_day)
    return {metric: reading for answers in found for metric, reading in answers.items()}


def _of_data_set(
    database: ProductDatabase, data_set: DataSetPlan, asked: Iterable[Asked], profiled: Subject | None
) -> Mapping[Metric, Reading]:
    wanted = mergings(each for each in asked if each.relation == data_set.relation)
    of_profile = profiled.mergings if profiled is not None else {}
    return merged(database, data_set.relation, data_set.spec.partition_by or "", {**of_profile, **wanted}).answers
