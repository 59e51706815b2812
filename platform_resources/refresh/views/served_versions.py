"""Have the server of tables show the version that is published: both the same one, or both the one before."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from platform_resources.access.grants import KnownGrants
from platform_resources.access.role_folders import OPEN, AccessChange, folder_name, wanted_folders
from platform_resources.access.views import View
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.plan.port_plans import OutputPlan
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import PortVersion, Publication, Versions, VersionsUnreadable, catalog_view
from platform_resources.refresh.product_locks import ProductBusy, locked
from platform_resources.settings import SERVING
from platform_resources.warehouses.engine_errors import EngineError
from platform_resources.warehouses.limits import SettingInvalid
from platform_resources.warehouses.published_places import PublishedFiles, PublishedPort
from platform_resources.warehouses.table_servers import ServedReaders, ServedSchema, ServedTable, ServingFailed, ServingStore
from platform_resources.warehouses.targets import serving_store

WAIT_SECONDS = 30.0
# Where the rows of a port of a version are now.
Where = Callable[[PortVersion], PublishedPort]


def served_ports(product: ProductPlan) -> tuple[OutputPlan, ...]:
    """One for each data set that a server shows; none of a retired product."""
    live = product.outputs if product.info.lifecycle != "retired" else ()
    ports = {port.data_set: port for port in live if port.store.server is not None}
    return tuple(ports.values())


@contextmanager
def shown_by_server(product: ProductPlan, shelves: Versions, publication: Publication) -> Iterator[None]:
    """Inside, the version is published. The server shows it before, and again the one that is published where that fails.

    Who has lost its claim meanwhile shows nothing, and takes back only what it has shown itself: the rest is its successor's.
    Raises ServingFailed, SettingInvalid and DatabaseBusy before anything is published.
    """
    if not served_ports(product):
        yield
        return
    store, former = serving_store(), shelves.latest()
    _show(store, product, shelves, former)
    store.load(product.name, publication.id, tuple(_schemas(product, publication, lambda port: shelves.staged(publication.id, port))))
    shelves.confirm()
    try:
        store.show(product.name, publication.id)
        yield
    except BaseException:
        newest = shelves.latest()  # another machine may have published meanwhile, and taken the former one from the server
        if store.shown(product.name) == publication.id:
            store.show(product.name, newest.id if newest is not None else "")
        raise


def _show(store: ServingStore, product: ProductPlan, shelves: Versions, newest: Publication | None) -> None:
    """Whatever has happened before: a process that was killed between two steps, a server that is new."""
    if newest is None or not any(newest.port(port.name) for port in served_ports(product)) or store.shown(product.name) == newest.id:
        return
    if not store.has(product.name, newest.id):
        store.load(product.name, newest.id, tuple(_schemas(product, newest, shelves.where)))
    shelves.confirm()
    store.show(product.name, newest.id)


def _schemas(product: ProductPlan, publication: Publication, where: Where) -> Iterator[ServedSchema]:
    """All of the product, and what each role of it sees, whether somebody has that role now or not.

    A port that published another data set then is shown from the next refresh on.
    """
    wanted = ((publication.port(served.name), served.data_set) for served in served_ports(product))
    ports = [port for port, data_set in wanted if port is not None and port.data_set == data_set]
    yield ServedSchema("", tuple(_table(product, port, where) for port in ports), {})
    for role, views in _views(product).items():
        seen = [(port, port.seen_as(views[port.data_set])) for port in ports if port.data_set in views]
        tables = tuple(_table(product, shown, where) for _, shown in seen if shown is not None)
        shows = {name: view.name for name, view in views.items()}
        yield ServedSchema(role, tables, shows, is_open=product.offers.roles is None)


def _views(product: ProductPlan) -> dict[str, dict[str, View]]:
    """By role, what it sees of each data set that a server shows."""
    shown: dict[str, dict[str, View]] = {}
    for port in served_ports(product):
        views = product.data_set(port.data_set).views
        of_roles = [(folder_name(role_view.role, role_view.attributes), role_view.view) for role_view in views.roles]
        for role, view in of_roles if product.offers.roles is not None else [(OPEN, views.open)]:
            if view is not None:
                shown.setdefault(role, {})[port.data_set] = view
    return shown


def _table(product: ProductPlan, port: PortVersion, where: Where) -> ServedTable:
    spec, published = product.data_set(port.data_set).spec, where(port)
    if not isinstance(published, PublishedFiles):
        raise ServingFailed(f"it loads files, and {published.address} are rows of a warehouse")
    view = catalog_view(product, port, published)
    return ServedTable(port.data_set, published, tuple(spec.primary_key or ()), view.description, view.columns)


def tidied_server(product: ProductPlan, known: KnownGrants, now: datetime) -> Iterator[str]:
    """After a publication: former versions go, and who has the roles is brought up to date. Gives what went wrong."""
    if not served_ports(product):
        return
    try:
        store = serving_store()
        changes = () if known.unknown else store.access_changes({product.name: _readers(product, known, now)}, None)
        yield from store.make_so(changes)
        yield from (f"a former version stays on the server: {text}" for text in store.tidy(product.name))
    except (ServingFailed, SettingInvalid) as error:
        yield f"what readers have on the server is not as it should be: {error}; `mesh access plan` lists what differs"


def server_changes(
    state: Path, products: Sequence[ProductPlan], known: KnownGrants, now: datetime, mesh: MeshPlan | None = None
) -> tuple[AccessChange, ...]:
    """What differs on the server for these products; where `mesh` is all that there is, also what it does not serve any more.

    Raises ServingFailed, SettingInvalid, VersionsUnreadable.
    """
    served = [product for product in products if served_ports(product)]
    if not served and (mesh is None or not SERVING.value(os.environ)):
        return ()
    store = serving_store()
    behind = [AccessChange("change", f"postgres/{product.name}", why) for product in served if (why := _difference(store, state, product))]
    everything = None if mesh is None else {*(product.name for product in served), *(product.name for product in mesh.rejected)}
    return (*store.access_changes({product.name: _readers(product, known, now) for product in served}, everything), *behind)


def make_server_so(state: Path, products: Sequence[ProductPlan], changes: Sequence[AccessChange]) -> tuple[str, ...]:
    """Do what `server_changes` has told, what is taken away first. A product that is being refreshed is shown by its refresh.

    Gives what could not be done.
    """
    if not changes:
        return ()
    store = serving_store()
    problems = store.make_so([change for change in changes if change.statements])
    behind = {change.place for change in changes if not change.statements}
    for product in (listed for listed in products if f"postgres/{listed.name}" in behind):
        try:
            with locked(state, product, WAIT_SECONDS):
                shelves = shelf(state, product.domain, product.name)
                _show(store, product, shelves, shelves.latest())
        except (ServingFailed, ProductBusy, EngineError, VersionsUnreadable) as error:
            problems += (f"{product.name}: {error}",)
    return problems


def _difference(store: ServingStore, state: Path, product: ProductPlan) -> str:
    newest, shown = shelf(state, product.domain, product.name).latest(), store.shown(product.name)
    if newest is None or shown == newest.id or not any(newest.port(port.name) for port in served_ports(product)):
        return ""
    return f"version {newest.id} is published, and it shows {shown or 'nothing'}"


def _readers(product: ProductPlan, known: KnownGrants, now: datetime) -> ServedReaders:
    """The product's owners read all of it."""
    readers = {folder.name: folder.readers for folder in wanted_folders(product.offers, known, now)}
    shows = {role: {name: view.name for name, view in views.items()} for role, views in _views(product).items()}
    return ServedReaders({"": product.offers.owners, **readers}, shows, product.offers.roles is None)
