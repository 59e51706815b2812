"""Move a renamed product's database, versions and pins to its new name; links lead from the old folders to the new."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from platform_resources.plan import conventions
from platform_resources.plan.plan import ProductPlan
from platform_resources.plan.port_plans import InputPlan, OutputPlan
from platform_resources.publications.published_versions import POINTER, files_of, shelf
from platform_resources.publications.version_records import Versions
from platform_resources.settings import STORE
from platform_resources.spec.values.names import slug
from platform_resources.warehouses.engine_errors import NotSupported
from platform_resources.warehouses.targets import warehouse


def take_over(state: Path, product: ProductPlan) -> None:
    """Move what is kept under former names. Call under the product's lock; it resumes after a kill and may run twice."""
    for link in led_elsewhere(state, product):
        link.unlink()
    for former in product.former_names:
        _take_over_product(state, product, former)
        warehouse().take_over(product.domain, former, product.name)
    ports = files_of(state, product.domain, product.name).folder
    for port in product.outputs:
        for former in port.former_names:
            _move(ports / former, ports / port.name)
            _link(ports / former, ports / port.name)


def led_elsewhere(state: Path, product: ProductPlan) -> list[Path]:
    """Links of former names that now belong to something new of that name, among the folders of the product and its ports."""
    own = files_of(state, product.domain, product.name).folder
    links = [own] if own.is_symlink() else [own / port.name for port in product.outputs]
    # A link to another disk, which somebody has made, is no name beside it.
    return [link for link in links if link.is_symlink() and "/" not in os.readlink(link)]


def former_shelf(state: Path, domain: str, product: str, former_products: Iterable[str]) -> Versions:
    """The product's versions, under its former name until the product has moved them."""
    shelves = (shelf(state, domain, name) for name in (product, *former_products))
    return next((versions for versions in shelves if versions.was_published()), shelf(state, domain, product))


def is_taken_over(state: Path, product: ProductPlan) -> bool:
    """Whether versions of the product go by its present name, and those of its ports by theirs. Raises VersionsUnreadable."""
    own = shelf(state, product.domain, product.name)
    if not own.was_published():
        return not any(shelf(state, product.domain, former).was_published() for former in product.former_names)
    formers = [former for port in product.outputs for former in port.former_names]
    return all(version.port(former) is None for version in own.published() for former in formers)


def _take_over_product(state: Path, product: ProductPlan, former: str) -> None:
    domain = product.domain
    former_files = files_of(state, domain, former).folder
    if STORE.value(os.environ) and not former_files.is_symlink() and shelf(state, domain, former).was_published():
        way_out = f"back the mesh up, refresh {product.name} once without {STORE.name}, and restore into an empty one"
        raise NotSupported(f"{product.name} was called {former} in the shared storage, which does not move products; {way_out}")
    old, new = (state / conventions.database_file(domain, name) for name in (former, product.name))
    if not new.exists() or old.with_name(f"{old.name}.wal").exists():
        # What was committed last may stand in the file beside it alone; a kill in between leaves that to the next call.
        _move(old, new)
        _move(old.with_name(f"{old.name}.wal"), new.with_name(f"{new.name}.wal"))
    _move(*(state / conventions.lineage_file(domain, name) for name in (former, product.name)))
    _move(*(state / conventions.work_file(domain, name) for name in (former, product.name)))
    folder, there = (files_of(state, domain, name).folder for name in (former, product.name))
    if folder.is_dir() and not folder.is_symlink() and there.is_dir() and not (there / POINTER).exists() and not any(there.iterdir()):
        there.rmdir()
    _move(folder, there)
    _link(folder, there)
    catalog = there / f"{product.name}.duckdb"
    _move(there / f"{former}.duckdb", catalog)
    _link(there / f"{former}.duckdb", catalog)


def _move(old: Path, new: Path) -> None:
    """Nothing is moved over what is there already."""
    if old.exists() and not old.is_symlink() and not os.path.lexists(new):
        new.parent.mkdir(parents=True, exist_ok=True)
        os.rename(old, new)


def _link(old: Path, new: Path) -> None:
    if new.exists() and not os.path.lexists(old):
        old.symlink_to(new.name, target_is_directory=new.is_dir())


def take_over_names(state: Path, product: ProductPlan) -> None:
    """Records of versions name ports and data sets as they are called now, and pins the product; files stay where they are."""
    ports = {former: port.name for port in product.outputs for former in port.former_names}
    data_sets = {slug(former): data_set.name for data_set in product.data_sets for former in data_set.spec.renamed_from or ()}
    if ports or data_sets:
        shelf(state, product.domain, product.name).rename(ports, data_sets)
    _take_over_pins(state, product)


def _take_over_pins(state: Path, product: ProductPlan) -> None:
    for port in product.inputs:
        names = _pins_of(product, port)
        if port.upstream is not None and len(names) > 1:
            _take_over_pin(former_shelf(state, port.upstream.domain, port.upstream.product, port.upstream.former_products), names)
    for topic in (port for port in product.outputs if port.store.stream is not None):
        names, own = _pins_of(product, topic), shelf(state, product.domain, product.name)
        if len(names) > 1:
            _take_over_pin(own, names)
            _take_over_pin(own, [f"{name}.until" for name in names])


def _pins_of(product: ProductPlan, port: InputPlan | OutputPlan) -> list[str]:
    """What the port pins under, the present name first."""
    return [f"{name}.{port_name}" for name in (product.name, *product.former_names) for port_name in (port.name, *port.former_names)]


def _take_over_pin(shelves: Versions, names: Sequence[str]) -> None:
    (now, *former), pins = names, shelves.pins()
    for name in (name for name in former if name in pins):
        if now not in pins:
            shelves.pin(now, pins[name])
        shelves.unpin(name)
