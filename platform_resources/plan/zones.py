"""The time zone of a product."""

from datetime import tzinfo
from zoneinfo import ZoneInfo

from platform_resources.plan.plan import MeshPlan, ProductPlan


def declared_zone(product: ProductPlan) -> str:
    """The time zone of the product's refresh, else of its first indicator that names one; empty if there is none."""
    refresh = product.refresh
    declared = [refresh.timezone] if refresh is not None and (refresh.cron or "timezone" in refresh.model_fields_set) else []
    specs = (indicator.spec for indicator in product.indicators)
    return next(iter((*declared, *(spec.timezone for spec in specs if "timezone" in spec.model_fields_set))), "")


def shown_zone(plan: MeshPlan, product: ProductPlan) -> str:
    """The time zone in which the product's times are shown: the declared one, else that of its domain's digest, else UTC."""
    digests = (domain.digest for domain in plan.domains if domain.name == product.domain)
    return declared_zone(product) or next((digest.timezone for digest in digests if digest is not None), "UTC")


def zone_of(product: ProductPlan) -> tzinfo:
    """The declared time zone, else UTC."""
    return ZoneInfo(declared_zone(product) or "UTC")
