"""Show an audit the keys of other products that global identifiers come from."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from platform_resources.plan.check_plans import OwnedKey
from platform_resources.plan.plan import ProductPlan
from platform_resources.publications.published_versions import publishing, shelf
from platform_resources.publications.version_records import PortVersion, VersionsUnreadable
from platform_resources.spec.values.column_names import folded_column
from platform_resources.warehouses.engine_errors import EngineError, NotSupported
from platform_resources.warehouses.protocol import ProductDatabase

KEYS = "keys of identifiers"


@contextmanager
def owned_keys(database: ProductDatabase, state: Path, product: ProductPlan) -> Iterator[Mapping[OwnedKey, str]]:
    """Inside, each key's relation shows its owner's newest version; yields why not, for those that cannot be shown.

    The platform counts, the product reads nothing: so no grant is needed, no SQL of the product may run meanwhile, and afterwards the
    relations are gone.
    """
    try:
        yield {key: why for key in _keys(product) if (why := _pointed(database, state, product, key))}
    finally:
        _let_go(state, product)
        drop_keys(database, product)


def drop_keys(database: ProductDatabase, product: ProductPlan) -> None:
    """Before a build, whose SQL must not find what an audit that was killed has left."""
    for key in _keys(product):
        database.drop(key.relation)


def _keys(product: ProductPlan) -> tuple[OwnedKey, ...]:
    return tuple(dict.fromkeys(objective.key for objective in product.objectives if objective.key is not None))


def _pin(product: ProductPlan) -> str:
    """No input port is called like it, whose own pin would be let go with this one."""
    return f"{product.name}.{KEYS}"


def _let_go(state: Path, product: ProductPlan) -> None:
    for owner in {key.product for key in _keys(product)}:
        for domain, name in publishing(state, owner):
            shelf(state, domain, name).unpin(_pin(product))


def _pointed(database: ProductDatabase, state: Path, product: ProductPlan, key: OwnedKey) -> str:
    """Why the relation cannot have the key; empty if it has."""
    owner = f"{key.product}, which owns {key.identifier},"
    try:
        shelves = next((shelf(state, *place) for place in publishing(state, key.product)), None)
        newest = shelves.latest() if shelves is not None else None
        if shelves is None or newest is None:
            return f"{owner} had published nothing when this was judged; the next refresh judges it again"
        shelves.pin(_pin(product), newest.id)
        port = next((version for version in newest.ports if _has(version, key)), None)
        if port is None:
            return f"version {newest.id} of {owner} has no column {key.column} of type {key.type}"
        database.point_at(key.relation, shelves.where(port))
    except (VersionsUnreadable, OSError, EngineError, NotSupported) as error:
        return f"what {owner} has published cannot be read: {str(error).splitlines()[0]}"
    return ""


def _has(port: PortVersion, key: OwnedKey) -> bool:
    names = {folded_column(name): kind for name, kind in port.columns.items()}
    return key.data_set in ("", port.data_set) and names.get(folded_column(key.column)) == key.type
