"""Contracts of sources: where an input port may promise columns, and that it promises each type once."""

from collections.abc import Iterator

from platform_resources.capabilities.protocols import NotPulled, PullFiles, PullPort
from platform_resources.plan.from_products.mesh import Mesh
from platform_resources.spec.problems import Problem
from platform_resources.spec.product import Product

AWAY = "take columns away"


def sources_promise_columns(mesh: Mesh, product: Product) -> Iterator[Problem]:
    """Only what the platform loads can be held against promised columns."""
    for port in product.input_ports:
        if not port.config.columns:
            continue
        match mesh.registry.input_interfaces()[port.variant].pull(port.settings):
            case PullPort():
                hint = "take columns away"
                yield port.origin.problem("columns", "the product that it reads promises its columns, and they are checked", hint)
            case NotPulled():
                yield port.origin.problem(
                    "columns", "the platform does not load this input, so nothing can be checked", "take columns away"
                )
            case PullFiles(types=types) if types:
                message = "types are promised twice, in columns and in options"
                yield port.origin.problem("columns", message, "take types out of options")
