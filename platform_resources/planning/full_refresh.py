"""When rows of earlier builds may be why a check fails: incremental models, and how to build them from scratch."""

from collections.abc import Collection, Iterable

from platform_resources.planning.conventions import Key
from platform_resources.planning.plan import ProductPlan


def way_out(product: ProductPlan, asset: Key, incremental: Collection[str]) -> str:
    """What builds the asset from scratch, if it or a model that it reads is among the `incremental` ones; empty otherwise."""
    keeping = [key[-1] for key in _with_upstream(product, asset) if key[-1] in incremental]
    if not keeping:
        return ""
    kept = "model {} is incremental and keeps" if len(keeping) == 1 else "models {} are incremental and keep"
    names = ", ".join(sorted(keeping))
    return f"{kept.format(names)} rows of earlier builds; from scratch: mesh refresh {product.name} --full-refresh"


def _with_upstream(product: ProductPlan, asset: Key) -> Iterable[Key]:
    """The model and all models of the product that it reads, directly or not; none for what is no model."""
    models = {model.key: model for model in product.models}
    found = [asset] if asset in models else []
    for key in found:
        found += [read for read in models[key].dependencies if read in models and read not in found]
    return found
