"""What an objective promises of its value, as numbers with a unit, by its settings alone."""

from collections.abc import Sequence
from decimal import Decimal

from platform_resources.capabilities.dimensions.accuracy import AccuracySettings
from platform_resources.capabilities.dimensions.availability import AvailabilitySettings
from platform_resources.capabilities.dimensions.bias import BiasSettings
from platform_resources.capabilities.dimensions.business_kpi import BusinessKpiSettings
from platform_resources.capabilities.dimensions.cadence import CadenceSettings
from platform_resources.capabilities.dimensions.completeness import CompletenessSettings
from platform_resources.capabilities.dimensions.cost import CostSettings
from platform_resources.capabilities.dimensions.custom_sql import CustomSqlSettings
from platform_resources.capabilities.dimensions.distribution import DistributionSettings
from platform_resources.capabilities.dimensions.drift import DriftSettings
from platform_resources.capabilities.dimensions.duration import DurationSettings
from platform_resources.capabilities.dimensions.freshness import FreshnessSettings
from platform_resources.capabilities.dimensions.referential_consistency import ReferentialConsistencySettings
from platform_resources.capabilities.dimensions.schema import SchemaSettings
from platform_resources.capabilities.dimensions.uniqueness import UniquenessSettings
from platform_resources.capabilities.dimensions.validity import ValiditySettings
from platform_resources.capabilities.dimensions.volume import VolumeSettings
from platform_resources.capabilities.judgements import Moment, Past, Promise
from platform_resources.capabilities.support.learned_thresholds import promised
from platform_resources.spec.strict import Strict


def promise(settings: Strict, moment: Moment) -> Promise:
    """Both ends of a promise count as kept. What is promised of several numbers at once, or is learned, has no bounds here.

    A dimension of another package may tell its promise in its own judgement.
    """
    match settings:
        case CompletenessSettings() | UniquenessSettings() | ValiditySettings() | ReferentialConsistencySettings():
            return Promise("%", promised(settings) or None)
        case AccuracySettings():
            return Promise("%")
        case VolumeSettings():
            return _of_rows(settings, moment.previous_rows)
        case FreshnessSettings():
            return Promise("s", at_most=settings.max_age.total_seconds())
        case AvailabilitySettings():
            return Promise("s", at_most=settings.within.total_seconds())
        case DurationSettings():
            return Promise("s", at_most=settings.at_most.total_seconds() if settings.at_most is not None else None)
        case CadenceSettings():
            return Promise("s")
        case CostSettings():
            return Promise("s" if settings.measure == "seconds" else settings.measure)
        case CustomSqlSettings():
            return _of_sql(settings)
        case BusinessKpiSettings():
            return _of_kpi(settings, moment.history.past)
        case BiasSettings():
            # The value is the ratio that was counted; the verdict also weighs what chance may have done.
            return Promise("", settings.ratio_at_least or None)
        case DriftSettings():
            return Promise("", at_most=settings.threshold)
        case DistributionSettings():
            return Promise("categories", at_most=0) if settings.shares is not None else Promise("%", at_most=settings.at_most or 0)
        case SchemaSettings():
            return Promise("differences", at_most=0)
        case _:
            return Promise()


def _of_rows(settings: VolumeSettings, former: int | None) -> Promise:
    """Within all bounds at once: those that are written, and those that follow from the version before."""
    fewest = former if settings.never_decreases else None
    low, high = _around(former, settings.change_at_most)
    return Promise("rows", _greatest(settings.at_least, fewest, low), _least(settings.at_most, high))


def _of_kpi(settings: BusinessKpiSettings, past: Sequence[Past]) -> Promise:
    low, high = _around(past[-1].value if past else None, settings.change_at_most)
    return Promise(settings.unit, _greatest(settings.min, low), _least(settings.max, high))


def _around(former: float | None, percent: float | None) -> tuple[float | None, float | None]:
    """Between which numbers what follows `former` may lie, if it may change by so many percent."""
    if former is None or percent is None:
        return None, None
    change = abs(Decimal(str(former))) * Decimal(str(percent)) / 100
    return float(Decimal(str(former)) - change), float(Decimal(str(former)) + change)


def _greatest(*bounds: float | None) -> float | None:
    return max((bound for bound in bounds if bound is not None), default=None)


def _least(*bounds: float | None) -> float | None:
    return min((bound for bound in bounds if bound is not None), default=None)


def _of_sql(settings: CustomSqlSettings) -> Promise:
    if settings.scalar is not None:
        return Promise(settings.unit, settings.min, settings.max)
    if settings.at_most_percent is not None:
        return Promise("%", at_most=settings.at_most_percent)
    return Promise("rows", at_most=settings.at_most or 0)
