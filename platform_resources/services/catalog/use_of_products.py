"""How products are used: usage scores, most used, newest, read together, and models worth turning into products."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from platform_resources.capabilities.protocols import PullFiles
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.queries import use
from platform_resources.ledger.queries.evidence import VERSIONS_OVER, Evidence
from platform_resources.ledger.queries.use import ProductUse
from platform_resources.plan.graph import ancestors
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.key_asset_score import AssetUse, KeyAssetScore, key_asset_scores

READS_WITHIN, UPDATES_WITHIN = timedelta(days=30), VERSIONS_OVER
MOST_RANKED = 10


@dataclass(frozen=True, slots=True)
class MeshUse:
    """Usage of every product in the 30 days before `at`: only reads that the platform sees.

    `published_first` has when each product that has a version published its first, `read_by` of each reader what they have read.
    """

    plan: MeshPlan
    at: datetime
    uses: Mapping[str, ProductUse]
    scores: Mapping[str, KeyAssetScore]
    published_first: Mapping[str, datetime]
    read_by: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class CommonReaders:
    """Another product with the number of readers that it shares with this one."""

    product: str
    readers: int


@dataclass(frozen=True, slots=True)
class ReuseCandidate:
    """A model or source port that is used often and is not yet a product.

    `used_by` names the models, ports and products that read it; `cumulated` is the share of all such uses in it and those before it.
    """

    product: str
    domain: str
    name: str
    kind: Literal["internal model", "source"]
    used_by: tuple[str, ...]
    reads: int
    share: float
    cumulated: float


def mesh_use(connection: Connection, plan: MeshPlan, now: datetime, evidence: Mapping[str, Evidence]) -> MeshUse:
    """Read the usage of every product from the ledger, which must be synced. `evidence` covers every product."""
    uses = use.use_of_products(connection, plan, now - READS_WITHIN, now)
    updates = {name: tuple(at for at in known.versions if now - UPDATES_WITHIN <= at < now) for name, known in evidence.items()}
    first = {name: known.first_version_at for name, known in evidence.items() if known.first_version_at is not None}
    behind = plan.downstream
    used = {product.name: _asset_use(product, plan, behind, uses[product.name], updates) for product in plan.products}
    return MeshUse(plan, now, uses, key_asset_scores(used, now), first, _read_by(uses))


def _read_by(uses: Mapping[str, ProductUse]) -> dict[str, list[str]]:
    read_by: dict[str, list[str]] = {}
    for name, used in uses.items():
        for reader in _readers(used):
            read_by.setdefault(reader, []).append(name)
    return read_by


def _asset_use(
    product: ProductPlan,
    plan: MeshPlan,
    behind: Mapping[str, tuple[str, ...]],
    used: ProductUse,
    updates: Mapping[str, tuple[datetime, ...]],
) -> AssetUse:
    below = len(ancestors(product.name, behind)) + len(product.consumers)
    return AssetUse(product.info.archetype or "", used.reads, used.users, below, used.last_read_at, updates.get(product.name, ()))


def most_used(known: MeshUse, most: int = MOST_RANKED) -> tuple[str, ...]:
    """The products with most reads, ties broken by number of readers; unread products are left out."""
    read = {name: use for name, use in known.uses.items() if use.reads}
    return tuple(sorted(read, key=lambda name: (-read[name].reads, -read[name].users, name))[:most])


def newly_published(known: MeshUse, most: int = MOST_RANKED) -> tuple[tuple[str, datetime], ...]:
    """The products whose first version is newest, with its time."""
    names = {product.name for product in known.plan.products}
    newest = sorted(((name, at) for name, at in known.published_first.items() if name in names), key=lambda dated: dated[1], reverse=True)
    return tuple(newest[:most])


def also_read(known: MeshUse, product: str, most: int = MOST_RANKED) -> tuple[CommonReaders, ...]:
    """Other products that this product's readers also read, most common first, without its own inputs."""
    others = Counter(name for reader in _readers(known.uses[product]) for name in known.read_by[reader] if name != product)
    common_readers = [CommonReaders(name, count) for name, count in others.items()]
    return tuple(sorted(common_readers, key=lambda common: (-common.readers, common.product))[:most])


def _readers(used: ProductUse) -> set[str]:
    return {*used.people, *used.products}


def candidates(known: MeshUse) -> tuple[ReuseCandidate, ...]:
    """Internal models read by several models, and sources loaded by several products, most used first."""
    counted = sorted(_shared_things(known.plan), key=lambda shared: (-len(shared[3]), shared[1], shared[2]))
    total = sum(len(users) for *_, users in counted)
    so_far, ranked = 0, list[ReuseCandidate]()
    for kind, product, name, users in counted:
        so_far += len(users)
        reads = sum(known.uses[user].reads for user in users if user in known.uses)
        domain = known.plan.product(product).domain
        ranked.append(ReuseCandidate(product, domain, name, kind, users, reads, len(users) / total, so_far / total))
    return tuple(ranked)


_Shared = tuple[Literal["internal model", "source"], str, str, tuple[str, ...]]


def _shared_things(plan: MeshPlan) -> Iterator[_Shared]:
    for product in plan.products:
        for model in product.models:
            users = tuple(other.name for other in product.models if model.key in other.dependencies)
            if not model.data_set and len(users) > 1:
                yield "internal model", product.name, model.name, users
    yield from _shared_sources(plan.products)


def _shared_sources(products: Iterable[ProductPlan]) -> Iterator[_Shared]:
    """Files at one absolute place, which more than one product loads for itself; relative ones and extractors are each product's own."""
    loaded: dict[str, list[tuple[str, str]]] = {}
    for product in products:
        for port in product.inputs:
            if isinstance(port.pull, PullFiles) and (port.pull.path.startswith("/") or "://" in port.pull.path):
                loaded.setdefault(port.pull.path, []).append((product.name, port.name))
    for loaders in loaded.values():
        names = tuple(dict.fromkeys(product for product, _ in loaders))
        if len(names) > 1:
            yield "source", loaders[0][0], loaders[0][1], names
