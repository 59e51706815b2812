"""Score products and store the result; parts whose inputs have not changed are not computed again."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from platform_resources.access.grants import Grant
from platform_resources.capabilities.registry import installed_registry
from platform_resources.ledger.connections import Connection
from platform_resources.ledger.database import Ledger
from platform_resources.ledger.people.grant_store import grants_of
from platform_resources.ledger.people.published_contracts import contract_history
from platform_resources.ledger.people.score_store import KeptScore, keep_scores, kept_scores
from platform_resources.ledger.queries.history import published_majors, running_since
from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.promises.grades import ProductHealth
from platform_resources.promises.scores import ProductScore, score
from platform_resources.publications.published_versions import shelf
from platform_resources.publications.version_records import Publication, VersionsUnreadable
from platform_resources.repository.mesh_folders import GOVERNANCE
from platform_resources.services.scoring.seen_facts import ProductEvidence, score_facts
from platform_resources.services.scoring.tried_evidence import Bench, TriedProduct, tried
from platform_resources.services.trust import Trust
from platform_resources.spec.governance import Governance, read_governance


def score_products(
    ledger: Ledger,
    root: Path,
    state: Path,
    plan: MeshPlan,
    products: Sequence[ProductPlan],
    health: Mapping[str, ProductHealth],
    trust: Mapping[str, Trust],
    now: datetime,
    within: timedelta | None = None,
) -> dict[str, ProductScore]:
    """The score of each of these products; `health` and `trust` are of now, `plan` covers the whole mesh.

    The ledger must be synced before. It is let go while ports are read and queries run, which takes a while: after `within` nothing more is
    tried, and products go by what was tried before; one of which nothing was tried yet waits for the next round.
    """
    if not products:
        return {}
    names = [product.name for product in products]
    with ledger.reading() as connection:
        before = kept_scores(connection, names)
        seen = _seen(connection, state, products, health, trust)
    bench = Bench(root, state, plan, _governance(root), now)
    published = {name: bool(evidence.published) for name, evidence in seen.items()}
    replacements = {product.info.replacement for product in products if product.info.replacement}
    published |= {name: _has_version(state, plan, name) for name in replacements if name not in published}
    new, begun = list[KeptScore](), time.monotonic()
    for product in products:
        tries = within is None or time.monotonic() - begun < within.total_seconds()
        if tries or product.name in before:
            new.append(_scored(bench, product, seen[product.name], before.get(product.name), published, tries))
    with ledger.writing() as connection:
        keep_scores(connection, new, before)
    return {kept.product: kept.score for kept in new}


def _scored(
    bench: Bench, product: ProductPlan, seen: ProductEvidence, before: KeptScore | None, published: Mapping[str, bool], tries: bool
) -> KeptScore:
    text = (bench.root / product.place.file).read_text(encoding="utf-8")
    kept = before.tried if before is not None else {}
    parts = tried(TriedProduct(bench, product, seen.latest, text), kept) if tries else dict(kept)
    facts = score_facts(bench, product, seen, {part: attempt["found"] for part, attempt in parts.items()}, published)
    return KeptScore(product.name, bench.now, score(facts, installed_registry().criteria().values()), parts)


def _seen(
    connection: Connection, state: Path, products: Sequence[ProductPlan], health: Mapping[str, ProductHealth], trust: Mapping[str, Trust]
) -> dict[str, ProductEvidence]:
    names = [product.name for product in products]
    contracts, majors, since = contract_history(connection, names), published_majors(connection, names), running_since(connection, names)
    grants: dict[str, list[Grant]] = defaultdict(list)
    for grant in grants_of(connection):
        grants[grant.product].append(grant)
    return {
        product.name: ProductEvidence(
            health[product.name],
            trust[product.name],
            _published(state, product),
            tuple(contracts.get(product.name, ())),
            majors.get(product.name, {}),
            since.get(product.name),
            tuple(grants[product.name]),
        )
        for product in products
    }


def _published(state: Path, product: ProductPlan) -> tuple[Publication, ...]:
    """Versions that cannot be read are none to whoever wants to read them; the product's health says why."""
    try:
        return shelf(state, product.domain, product.name).published()
    except VersionsUnreadable:
        return ()


def _has_version(state: Path, plan: MeshPlan, name: str) -> bool:
    other = next((candidate for candidate in plan.products if name in (candidate.name, candidate.title)), None)
    return other is not None and bool(_published(state, other))


def _governance(root: Path) -> Governance:
    """As it can be read; what is wrong with it is told by mesh validate."""
    file = root / GOVERNANCE
    return read_governance(file.read_text(encoding="utf-8"), GOVERNANCE).governance if file.exists() else Governance()
