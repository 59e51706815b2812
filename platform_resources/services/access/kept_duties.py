"""Check duties over time: whether certified products keep their promises, and whether old versions are deleted on time."""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from platform_resources.ledger.connections import Connection, DatabaseFailed
from platform_resources.ledger.database import LEDGER_FILE, LedgerUnavailable, ledger_url, open_ledger
from platform_resources.ledger.queries.history import check_states
from platform_resources.ledger.queries.standing import standings
from platform_resources.ledger.records import check_id
from platform_resources.plan import conventions
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.publications.published_versions import Shelf, shelf, version_id
from platform_resources.publications.version_records import VersionsUnreadable, outlived
from platform_resources.settings import LEDGER
from platform_resources.spec.values.durations import duration_text
from platform_resources.warehouses.targets import warehouse


def broken_promises(
    state: Path, plan: MeshPlan, now: datetime, environment: Mapping[str, str] = os.environ
) -> Mapping[str, tuple[str, ...]]:
    """For each certified product, the promises that it breaks, as clauses. Without certified products the ledger is not opened."""
    certified = [product for product in plan.products if product.info.certified and product.runs]
    if not certified or not (LEDGER.value(os.environ) or (state / LEDGER_FILE).exists()):
        return {}
    try:
        ledger = open_ledger(ledger_url(state, os.environ))
        try:
            with ledger.reading() as connection:
                return {product.name: tuple(broken(connection, product, now)) for product in certified}
        finally:
            ledger.close()
    except (LedgerUnavailable, DatabaseFailed) as error:
        unknown = f"whether it keeps its promises is not known: {str(error).splitlines()[0]}"
        return {product.name: (unknown,) for product in certified}


def broken(connection: Connection, product: ProductPlan, now: datetime) -> Iterator[str]:
    """Promises that a product breaks now, as clauses."""
    readings = {state.check.id: state.reading for state in check_states(connection, now, [product.name])}
    for objective in product.objectives:
        check = objective.check
        reading = readings.get(check_id(check.key, check.name))
        if check.severity == "error" and not check.target and reading is not None and reading.verdict == "missed":
            yield f"its promise {check.title} is missed"
    for standing in standings(connection, product, now):
        reached = standing.attainment
        if reached.state == "missed" and reached.percent is not None and reached.target is not None:
            yield f"its indicator {standing.indicator.check.title} is at {reached.percent:.4g} %, under its target of {reached.target:g} %"


def outlived_text(state: Path, product: ProductPlan, now: datetime) -> Iterator[str]:
    """Versions and version files older than the product's retention. Rows kept in a warehouse are not checked."""
    if product.retention is None or warehouse().kind != "duckdb":
        return
    shelves = shelf(state, product.domain, product.name)
    try:
        published, pins = shelves.published(), shelves.pins()
    except (VersionsUnreadable, OSError) as error:
        yield f"how old its versions are cannot be told: {error}"
        return
    limit = duration_text(product.retention)
    for old in outlived(published, product.retention, now):
        readers = ", ".join(sorted(consumer for consumer, version in pins.items() if version == old.id))
        served = "; it is the one served" if old is published[-1] else f"; {readers} reads it" if readers else ""
        yield f"version {old.id} is older than its retention of {limit}{served}"
    if isinstance(shelves, Shelf):
        known = {version.id for version in published}
        for file in _left_over(shelves.folder, now - product.retention):
            if file.name[: len(version_id(now))] not in known:
                yield f"{file.relative_to(state)} is left of a version older than its retention of {limit}"


def _left_over(folder: Path, before: datetime) -> Iterator[Path]:
    """Folders and links with the id of a version from before a moment; whether it is published is not looked at."""
    latest = version_id(before)
    for entry in sorted((*folder.glob("*/v*/*"), *folder.glob(f"{conventions.BY_ROLE}/*/*"))):
        if entry.name[:1].isdigit() and entry.name < latest:
            yield entry
