"""Which pins keep versions of a product for an input, a topic or an objective that is gone from the mesh?"""

from collections.abc import Iterator
from pathlib import Path

from platform_resources.plan.plan import MeshPlan, ProductPlan
from platform_resources.publications.published_versions import shelf
from platform_resources.refresh.owned_keys import KEYS


def needless_pins(state: Path, plan: MeshPlan, product: ProductPlan) -> Iterator[tuple[str, str]]:
    """Pins on the product's versions, and why nobody needs them. Raises VersionsUnreadable, EngineError.

    Nothing is guessed: the document of who has pinned was read without an error, and its newest version was not made by that port.
    What was called otherwise before is taken over by who has pinned it.
    """
    for pin in shelf(state, product.domain, product.name).pinning():
        name, port = pin.split(".")[:2]
        consumer = plan.by_name.get(name)
        if consumer is not None and (why := _why_needless(consumer, port, product.name)):
            latest = shelf(state, consumer.domain, name).latest()
            if latest is None or latest.inputs.get(port, {}).get("product") not in (product.name, *product.former_names):
                yield pin, why


def _why_needless(consumer: ProductPlan, port: str, product: str) -> str:
    """Empty where it is needed, or where that cannot be told: an input whose product cannot be read may be of this one."""
    if port == KEYS:
        owners = {objective.key.product for objective in consumer.objectives if objective.key is not None}
        return "" if product in owners else f"no objective of {consumer.name} compares with keys of {product} any more"
    if consumer.name == product:
        topics = (output for output in consumer.outputs if output.store.stream is not None)
        return "" if any(port in (topic.name, *topic.former_names) for topic in topics) else f"{product} has no topic {port} any more"
    source = next((source for source in consumer.inputs if port in (source.name, *source.former_names)), None)
    if source is None:
        return f"{consumer.name} has no input port {port} any more"
    moved = source.upstream is not None and product not in (source.upstream.product, *source.upstream.former_products)
    return f"input port {port} of {consumer.name} reads another product now" if moved else ""
