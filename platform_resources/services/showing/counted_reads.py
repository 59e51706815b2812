"""Find which products a query reads, and count the read."""

import getpass
import os
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from platform_resources.capabilities.support.sql_text import names_in
from platform_resources.ledger.database import ledger_url, open_ledger
from platform_resources.ledger.queries.reads import record_read
from platform_resources.plan.plan import MeshPlan
from platform_resources.publications.consumer_queries import named_products, only_domain, published_domains


def publishing_domain(state: Path, plan: MeshPlan, product: str) -> str | None:
    """The domain that holds the product's versions, even if its spec is broken or gone; None if there are none.

    Raises QueryFailed where several domains have a folder of that name.
    """
    folders = {Path(rejected.file).parent for rejected in plan.rejected}
    known = {folder.name: folder.parent.name for folder in folders} | {product.name: product.domain for product in plan.products}
    if product in known or not published_domains(state, product):
        return known.get(product)
    return only_domain(state, product)


def local_reader() -> str:
    """The account name of this computer's user, or a fallback in containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unnamed"


def count_read(state: Path, plan: MeshPlan, product: str, sql: str, reader: str, now: datetime) -> None:
    """Count a query for the owners' usage figures. Raises LedgerUnavailable."""
    ledger = open_ledger(ledger_url(state, os.environ))
    try:
        with ledger.writing() as connection:
            for read, name in reads_of_query(state, plan, product, sql):
                record_read(connection, read, name, reader, now, "query")
    finally:
        ledger.close()


def reads_of_query(state: Path, plan: MeshPlan, product: str, sql: str) -> Iterator[tuple[str, str]]:
    """The products that the SQL reads, each with the ports and data sets it names."""
    own = [planned for planned in plan.products if planned.name == product]
    offered = [port.name for p in own for port in p.outputs] + [data_set.name for p in own for data_set in p.data_sets]
    names = [tuple(name.lower() for name in dotted) for dotted in names_in(sql)]
    words = {word for dotted in names for word in dotted}
    yield from ((product, name) for name in [name for name in dict.fromkeys(offered) if name in words] or [""])
    for other in named_products(state, sql):
        if other != product:
            pairs = (pair for dotted in names for pair in pairwise(dotted))
            yield from dict.fromkeys(pair for pair in pairs if pair[0] == other)
