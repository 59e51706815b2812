"""Find products that a refresh would change."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platform_resources.capabilities.protocols import PullExtractor, PullFiles, PullRows, PullShared
from platform_resources.deliveries.arrivals import is_news, matching_files
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.plan.plan_text import fingerprint
from platform_resources.plan.port_plans import InputPlan
from platform_resources.publications.former_folders import former_shelf
from platform_resources.publications.published_versions import shelf
from platform_resources.repository.mesh_folders import state_folder
from platform_resources.spec.values.versions import VersionRange


def stale_products(root: Path, plan: MeshPlan, now: datetime) -> list[str]:
    """Products that were never published, have changed, or have newer inputs, and all products downstream of those."""
    stale: list[str] = []
    for product in plan.products:
        behind = any(port.upstream is not None and port.upstream.product in stale for port in product.inputs)
        if product.runs and (behind or _is_stale(root, product, now)):
            stale.append(product.name)
    return stale


def _is_stale(root: Path, product: ProductPlan, now: datetime) -> bool:
    """Extractors and readers may have something new every day; files and other products are looked at."""
    state = state_folder(root)
    latest = shelf(state, product.domain, product.name).latest()
    if latest is None or latest.fingerprint != fingerprint(product):
        return True
    if _extracts(product) and datetime.fromisoformat(latest.published_at).astimezone(UTC).date() < now.astimezone(UTC).date():
        return True
    folder = (root / product.place.file).parent
    return any(_has_newer(state, folder, port, latest.inputs.get(port.name, {})) for port in product.inputs)


def _extracts(product: ProductPlan) -> bool:
    return any(isinstance(port.pull, PullExtractor | PullRows | PullShared) for port in product.inputs)


def _has_newer(state: Path, folder: Path, port: InputPlan, record: Mapping[str, Any]) -> bool:
    if isinstance(port.pull, PullFiles):
        try:
            return is_news(matching_files(port.pull.path, folder), record, port.pull)
        except OSError:  # the refresh tells why its storage cannot be read
            return True
    upstream = port.upstream
    if upstream is None:
        return False
    newest = former_shelf(state, upstream.domain, upstream.product, upstream.former_products).newest_within(
        VersionRange.parse(upstream.version), upstream.port
    )
    return newest is not None and newest.id != record.get("version")
