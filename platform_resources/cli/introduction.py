"""What `mesh plan PRODUCT` and `mesh describe` tell a reader: what for, whom to ask, which terms, and queries to begin with."""

import shlex
from collections.abc import Iterator

from rich.tree import Tree

from platform_resources.cli.console import told
from platform_resources.plan.plan import AgreementPlan, ProductPlan
from platform_resources.spec.values.durations import duration_text


def introduce(product: ProductPlan, tree: Tree) -> None:
    """Add to the product's tree what its document says to its readers."""
    readers = tree.add("for its readers")
    for line in _lines(product):
        readers.add(line)
    for agreement in product.agreements:
        branch = readers.add(f"agreement {told(agreement.title)}")
        for line in _terms(agreement):
            branch.add(line)
    for query in product.sample_queries:
        branch = readers.add(f"sample query {told(query.title)} [dim]of {told(query.port)}[/]")
        sql = query.sql.strip() if "--" in query.sql else " ".join(query.sql.split())
        branch.add(f"mesh query {product.name} {told(shlex.quote(sql))}")


def _lines(product: ProductPlan) -> Iterator[str]:
    info, support = product.info, product.info.support
    from platform_resources.services.catalog.product_description import runbook_place

    said = {
        "what": info.description,
        "purpose": info.purpose,
        "owners": ", ".join(product.owners),
        "support": support.channel,
        "runbook": runbook_place(product),
    }
    yield from (f"{word}: {told(' '.join(text.split()))}" for word, text in said.items() if text)


def _terms(agreement: AgreementPlan) -> Iterator[str]:
    spec = agreement.spec
    said = {
        "what": spec.description,
        "purpose": spec.purpose,
        "terms": spec.terms,
        "approval": "automatic" if spec.approval == "automatic" else "by the owner",
        "duration": duration_text(spec.duration) if spec.duration else "",
        "notice period": duration_text(spec.notice_period) if spec.notice_period else "",
    }
    yield from (f"{word}: {told(' '.join(text.split()))}" for word, text in said.items() if text)
    for role in spec.roles:
        masked = f"; masked: {', '.join(role.masked)}" if role.masked else ""
        yield told(f"role {role.role} sees {', '.join(role.sees) or 'nothing in the clear'}{masked}")
