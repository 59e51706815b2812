"""Run consumers' SQL over published versions without locking anything."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

from platform_resources.capabilities.support.sql_text import names_in
from platform_resources.publications.published_versions import published_at, publishing, shelf
from platform_resources.publications.version_records import PortVersion, Publication
from platform_resources.spec.values.names import is_name
from platform_resources.warehouses.engine_errors import QueryFailed
from platform_resources.warehouses.protocol import Bounds
from platform_resources.warehouses.published_places import PublishedFiles, PublishedPort, PublishedRows, Readable
from platform_resources.warehouses.targets import warehouse
from platform_resources.warehouses.written_results import WantedResult, WrittenResult


class NothingPublished(Exception):
    """Raised if a product has no version yet, or not the requested one."""


def published_version(state: Path, domain: str, product: str, version: str | None = None) -> Publication:
    """The newest version, or the given one. Raises NothingPublished, VersionsUnreadable."""
    shelves = shelf(state, domain, product)
    if version is None:
        latest = shelves.latest()
        if latest is None:
            raise NothingPublished(f"{product} has not published a version yet; `mesh refresh {product}` makes one")
        return latest
    publication = next((p for p in shelves.published() if p.id == version), None)
    if publication is None:
        raise NothingPublished(f"{product} has no version {version}; `mesh versions {product}` lists those that are kept")
    return publication


def published_domains(state: Path, product: str) -> tuple[str, ...]:
    """The domains in which a product of this name has published, even if its product.yaml is gone."""
    if not is_name(product):
        return ()
    return tuple(domain for domain, _ in publishing(state, product))


# A product's port of a version as somebody sees it, given the product, the port and the version's id; None where that is nothing.
SeenPort = Callable[[str, PortVersion, str], PortVersion | None]


def everything(product: str, port: PortVersion, version: str) -> PortVersion | None:
    """The view of a reader with full access: the port as it is."""
    return port


@dataclass(frozen=True, slots=True)
class ReadVersion:
    """One version that was read. `as_of` is as of when the oldest of what was read of it is known; None where that is not known of one."""

    product: str
    version: str
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class NotingVersions:
    """What `seen` gives, and `read`: of which version of each product the SQL names a data set or port, by the product's name.

    Names without a product are of `product`.
    """

    seen: SeenPort
    product: str
    sql: str
    read: dict[str, ReadVersion] = field(default_factory=dict)

    def __call__(self, product: str, port: PortVersion, version: str) -> PortVersion | None:
        shown, before = self.seen(product, port, version), self.read.get(product)
        if shown is not None and not self._named(product).isdisjoint((shown.port.lower(), shown.data_set.lower())):
            known = shown.known_until(published_at(version).isoformat())
            both = known if before is None else before.as_of and known and min(before.as_of, known)
            self.read[product] = ReadVersion(product, version, both)
        return shown

    def _named(self, product: str) -> set[str]:
        names = [[name.lower() for name in dotted] for dotted in names_in(self.sql)]
        schemas = {product, "main"} if product == self.product else {product}
        behind = {name for dotted in names for schema, name in pairwise(dotted) if schema in schemas}
        return behind | {dotted[0] for dotted in names if product == self.product}


def queried(
    state: Path,
    domain: str,
    product: str,
    sql: str,
    version: str | None = None,
    *,
    as_text: bool = False,
    seen: SeenPort = everything,
    bounds: Bounds | None = None,
    is_ours: bool = False,
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of a SELECT over the product's data sets and ports, from published files only.

    A consumer's is in the warehouse's own SQL, the platform's (`is_ours`) in DuckDB's dialect.

    Other products are read as `<product>.<data set or port>`, always their newest version. `seen` says what the reader gets of each, and
    raises QueryFailed where that is nothing. Raises NothingPublished, VersionsUnreadable, QueryFailed, SettingInvalid.
    """
    return answer_over(
        state, product, sql, readable_ports(state, domain, product, sql, version, seen), bounds, as_text=as_text, is_ours=is_ours
    )


def answer_over(
    state: Path, product: str, sql: str, readable: Readable, bounds: Bounds | None, *, as_text: bool = True, is_ours: bool = False
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The result of a SELECT over these ports. Raises QueryFailed, SettingInvalid."""
    with _explained(state, product, readable):
        return warehouse().answer(sql, readable, as_text=as_text, bounds=bounds, is_ours=is_ours)


def written_answer(
    state: Path, product: str, sql: str, readable: Readable, wanted: WantedResult, file: BinaryIO, bounds: Bounds
) -> WrittenResult:
    """The result of a SELECT over these ports, written to a file. Raises QueryFailed, SettingInvalid."""
    with _explained(state, product, readable):
        return warehouse().write_answer(sql, readable, wanted, file, bounds)


def cloned(state: Path, domain: str, product: str, into: str, version: str | None, seen: SeenPort) -> dict[str, int]:
    """The rows of each data set, by where it was cloned to, of a version as it is seen. Raises as `queried`, EngineError, NotSupported."""
    data_sets = {port.data_set for port in published_version(state, domain, product, version).ports}
    offered = _offered(state, domain, product, version, seen)
    shown = {name: place for name, place in offered.items() if name in data_sets}
    if not shown:
        raise QueryFailed(f"nothing of {product} is shown to this reader; mesh access show {product} says why")
    return warehouse().clone(product, shown, into, data_sets - shown.keys())


def readable_ports(
    state: Path, domain: str, product: str, sql: str, version: str | None = None, seen: SeenPort = everything
) -> dict[str, dict[str, PublishedPort]]:
    """The ports that the SQL may read, by schema and name. Raises as `queried`."""
    own = _offered(state, domain, product, version, seen)
    others = {name: _offered(state, only_domain(state, name), name, None, seen) for name in named_products(state, sql) if name != product}
    return {"main": own, product: own, **others}


@contextmanager
def _explained(state: Path, product: str, readable: Readable) -> Iterator[None]:
    """A query that fails is told with what could have been written instead."""
    others = {name: ports for name, ports in readable.items() if name not in ("main", product)}
    try:
        yield
    except OSError as error:
        raise QueryFailed(f"what {' and '.join((product, *others))} published cannot be read: {error}") from error
    except QueryFailed as error:
        places = (place for ports in readable.values() for place in ports.values() if isinstance(place, PublishedFiles))
        if not all(file.exists() for place in places for file in place.files):
            raise QueryFailed("what was asked for is of a version that is not kept any more; ask for the newest one") from error
        raise QueryFailed(f"{error}\n{_offer(state, product, readable['main'], others)}") from error


def named_products(state: Path, sql: str) -> tuple[str, ...]:
    """The products with published versions that the SQL names as `product.`."""
    named = {word.lower() for dotted in names_in(sql) for word in dotted[:-1]}
    return tuple(name for name in _published(state) if name in named and name != "main")


def _published(state: Path) -> list[str]:
    return sorted({product for _, product in publishing(state)})


def only_domain(state: Path, product: str) -> str:
    """The one domain in which a product of this name has published. Raises QueryFailed if there are several."""
    domains = published_domains(state, product)
    if len(domains) > 1:
        raise QueryFailed(f"{product} lies in {' and '.join(f'ports/{domain}/' for domain in domains)}; take the wrong one away")
    return domains[0]


def _offered(state: Path, domain: str, product: str, version: str | None, seen: SeenPort) -> dict[str, PublishedPort]:
    """Data sets and ports of a version."""
    publication, shelves = published_version(state, domain, product, version), shelf(state, domain, product)
    offered: dict[str, PublishedPort] = {}
    ports = (seen(product, port, publication.id) for port in publication.ports)
    for port in (port for port in ports if port is not None):
        place = shelves.where(port)
        if port.data_set not in offered or isinstance(place, PublishedRows):  # rows can be queried wherever there are any
            offered[port.data_set] = place
        offered[port.port] = place
    return offered


def _offer(state: Path, product: str, own: Iterable[str], others: Mapping[str, Iterable[str]]) -> str:
    """What could have been written instead."""
    lines = [f"{product} offers: {', '.join(sorted(own))}"]
    lines += [f"{name} offers: {', '.join(f'{name}.{column}' for column in sorted(offered))}" for name, offered in others.items()]
    more = [name for name in _published(state) if name not in {product, *others}]
    return "\n".join([*lines, *([f"other products, as <product>.<data set or port>: {', '.join(more)}"] if more else [])])
