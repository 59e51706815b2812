"""What every step of a refresh shares: where things are, which day is asked for, and the lock on the product."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from platform_resources.orchestration.events.ledger_events import sync_at_end
from platform_resources.orchestration.events.run_failures import REFUSED, stopped, tried_again
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.version_records import VersionsUnreadable
from platform_resources.refresh.product_locks import LONGEST_WAIT_SECONDS, ProductBusy, locked
from platform_resources.refresh.stages import BegunRefresh, RefreshedDatabase
from platform_resources.repository.mesh_repository import target_of
from platform_resources.services.access.reader_views import grants_for
from platform_resources.services.refreshes.retired_products import refusal
from platform_resources.warehouses.protocol import ProductDatabase
from platform_resources.warehouses.targets import warehouse

RESOURCE = "refresh"


@contextmanager
def connected_by_dagster(arguments: Mapping[str, Any]) -> Iterator[Any]:
    """A connection with Snowflake. The import takes longer than all else of a refresh, and only products in Snowflake need it."""
    from dagster_snowflake import SnowflakeResource

    with SnowflakeResource(**arguments).get_connection() as connection:
        yield connection


class RefreshResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where the mesh is, and the day that extractors deliver up to (ISO date; yesterday if left out).

    `since` is the first of the days up to `as_of` that are made anew, as `mesh backfill` asks for. `full_refresh` builds incremental
    models from scratch. `replay` names by input the cursor from which rows are read again. `clock` is the time that it is taken to be
    (ISO, UTC unless it says otherwise), for rehearsals; the real time if left out.
    """

    root: str
    state: str
    as_of: str | None = None
    since: str | None = None
    full_refresh: bool = False
    replay: dict[str, str] = {}
    clock: str | None = None
    wait_seconds: float = LONGEST_WAIT_SECONDS
    _locks: dict[str, Any] = PrivateAttr(default_factory=dict)
    _databases: dict[str, RefreshedDatabase] = PrivateAttr(default_factory=dict)

    @property
    def root_folder(self) -> Path:
        """The mesh's root."""
        return Path(self.root)

    @property
    def state_folder(self) -> Path:
        """Where the refresh keeps databases and versions."""
        return Path(self.state)

    def now(self) -> datetime:
        """The time at which the refresh takes place, in UTC."""
        if self.clock is None:
            return datetime.now(UTC)
        try:
            fixed = datetime.fromisoformat(self.clock)
        except ValueError:
            raise stopped(f'clock is "{self.clock}"; write a time such as 2026-01-31T05:00', REFUSED) from None
        return fixed.astimezone(UTC) if fixed.tzinfo is not None else fixed.replace(tzinfo=UTC)

    def day(self) -> date:
        """The day asked for. Ends the step when `as_of` is no ISO date."""
        return self.now().date() - timedelta(days=1) if self.as_of is None else _day("as_of", self.as_of)

    def days(self) -> tuple[date, date] | None:
        """The days that are made anew. Ends the step when `since` is no ISO date."""
        return None if self.since is None else (_day("since", self.since), self.day())

    def opened(self, product: ProductPlan) -> AbstractContextManager[ProductDatabase]:
        """The product's own database, for one step. Ends the step where the dbt target has no warehouse."""
        refused = target_of(self.root_folder).problem
        if refused is not None:
            raise stopped(str(refused), "TargetRefused")
        return warehouse(connected_by_dagster).opened(self.state_folder, product.domain, product.name)

    def hold(self, product: ProductPlan) -> None:
        """Keep every other refresh of this product out until this run ends; a killed process lets go at once."""
        if product.name in self._locks:
            return
        try:
            lock = locked(self.state_folder, product, self.wait_seconds)
        except ProductBusy as error:
            raise stopped(str(error), "Busy") from None
        except VersionsUnreadable as error:
            raise stopped(str(error), "VersionsUnreadable") from None
        if retired := refusal(self.state_folder, product):  # asked under the lock, for which retiring waits
            lock.release()
            raise stopped(retired, REFUSED)
        self._locks[product.name] = lock

    def begun(self, product: ProductPlan, run_id: str, tell: Callable[[str], object]) -> BegunRefresh:
        """What a stage of the product's refresh needs. Every other refresh is kept out until this run ends."""
        if self.since is not None and product.not_by_day:
            raise stopped(f"the days cannot be made anew: {product.not_by_day}; leave since out", REFUSED)
        self.hold(product)
        opened = self._databases.setdefault(product.name, RefreshedDatabase(partial(self.opened, product)))
        grants = partial(grants_for, self.state_folder, product)
        return BegunRefresh(
            self.root_folder,
            self.state_folder,
            product,
            run_id,
            self.now,
            opened,
            grants,
            self.full_refresh,
            tell,
            self.replay,
            days=self.days(),
        )

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Whoever starts a run of the platform, it has this resource: so each leaves the ledger up to date at its end, and is done again
        where a database was away."""
        if context.instance is not None and context.run is not None:
            tried_again(context.instance, context.run.run_id)
            sync_at_end(self.state_folder, context.instance, context.run.run_id)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        with ExitStack() as ending:
            for lock in self._locks.values():
                ending.callback(lock.release)
            for database in self._databases.values():
                ending.callback(database.close)
            self._locks.clear()
            self._databases.clear()


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise stopped(f'{name} is "{text}"; write a day such as 2026-01-31', REFUSED) from None
