"""Quarantine and repairs: list quarantined rows, load mended ones, propose repairs. Not while the product is refreshed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from platform_resources.access.grants import KnownGrants
from platform_resources.capabilities.protocols import PullFiles
from platform_resources.capabilities.registry import Registry
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import InputPlan
from platform_resources.refresh.auditing import Audited, audit
from platform_resources.refresh.built import as_built, unnoted
from platform_resources.refresh.data_age import input_records
from platform_resources.refresh.gate import close
from platform_resources.refresh.mending.proposed_repairs import ProposedRepair, proposed
from platform_resources.refresh.product_locks import locked
from platform_resources.refresh.pulling import note_mended
from platform_resources.refresh.sources.kept_contracts import BreaksContract, hidden_columns
from platform_resources.refresh.sources.pull_records import PullContext
from platform_resources.refresh.sources.quarantine import QuarantinedRow, load_mended, quarantined_rows
from platform_resources.refresh.views.class_travel import inherited_in, restricted
from platform_resources.repository.product_secrets import hiding
from platform_resources.spec.values.column_names import folded_column
from platform_resources.warehouses.engine_errors import LoadFailed
from platform_resources.warehouses.protocol import ProductDatabase
from platform_resources.warehouses.targets import warehouse

_WAIT_SECONDS = 60.0


class NotMended(Exception):
    """Raised if mended rows cannot be loaded; says which and why. Nothing was changed."""


class NothingBuilt(Exception):
    """Raised if there is no build to repair; says what to do."""


def rows_in_quarantine(state: Path, product: ProductPlan, ports: tuple[InputPlan, ...]) -> dict[str, list[QuarantinedRow]]:
    """The quarantined rows of each of these inputs. Raises ProductBusy."""
    with _alone(state, product) as database:
        return {port.name: quarantined_rows(database, port.name) for port in ports}


def repairs_of(state: Path, product: ProductPlan, registry: Registry, now: datetime) -> list[ProposedRepair]:
    """Repairs for the objectives that the last build misses. Raises ProductBusy, EngineError."""
    with _alone(state, product) as database:
        if why := unnoted(database, product):
            raise NothingBuilt(why)
        built, missed = _missed(database, state, product, registry, now)
        return [repair for result in missed for repair in proposed(database, built, result.objective, registry)]


def failing_rows(state: Path, product: ProductPlan, registry: Registry, now: datetime) -> list[Audited]:
    """The promises that what the last build has made misses, with keys of some rows that break result. Raises ProductBusy, EngineError."""
    with _alone(state, product) as database:
        missed = [] if unnoted(database, product) else _missed(database, state, product, registry, now)[1]
        return [result for result in missed if result.sample]


def _missed(
    database: ProductDatabase, state: Path, product: ProductPlan, registry: Registry, now: datetime
) -> tuple[ProductPlan, list[Audited]]:
    built = restricted(as_built(database, product), inherited_in(state, product, input_records(database, product)))
    return built, [result for result in audit(database, built, registry, now, None) if result.judgement.verdict == "missed"]


def mend(root: Path, state: Path, product: ProductPlan, port: InputPlan, path: Path, now: datetime) -> tuple[int, int]:
    """Load mended rows into the input; returns how many were loaded and how many are still in quarantine.

    The models have to be built again then, so the gate is closed. Raises NotMended, ProductBusy.
    """
    if not isinstance(port.pull, PullFiles):
        raise NotMended(f"each refresh reads all of {port.name} anew, and would undo it; mend the source itself; nothing was loaded")
    context = PullContext(root, state, now, now.date(), product, hiding(root, product), KnownGrants())
    try:
        with _alone(state, product) as database, database.transaction():
            mended = load_mended(database, port, path)
            close(database, "rows were mended and the models were not rebuilt since")
            return mended, int(note_mended(database, port, context).record.get("quarantined", 0))
    except LoadFailed as error:
        problem = error.without_value() if folded_column(error.column) in hidden_columns(product, port) else str(error)
        raise NotMended(f"{problem}; nothing was loaded") from error
    except (BreaksContract, OSError) as error:
        raise NotMended(f"{error}; nothing was loaded") from error


@contextmanager
def _alone(state: Path, product: ProductPlan) -> Iterator[ProductDatabase]:
    with locked(state, product, _WAIT_SECONDS), warehouse().opened(state, product.domain, product.name) as database:
        yield database
