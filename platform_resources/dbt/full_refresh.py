"""Find incremental models whose old rows may be why a check fails, and say how to rebuild them."""

from collections.abc import Collection

from platform_resources.plan.conventions import Key
from platform_resources.plan.graph import ancestors
from platform_resources.plan.plan import ProductPlan


def way_out(product: ProductPlan, asset: Key, incremental: Collection[str]) -> str:
    """What builds the asset from scratch, if it or a model that it reads is among the `incremental` ones; empty otherwise."""
    models = {model.key: model.dependencies for model in product.models}
    keeping = [key[-1] for key in {asset, *ancestors(asset, models)} & models.keys() if key[-1] in incremental]
    if not keeping:
        return ""
    kept = "model {} is incremental and keeps" if len(keeping) == 1 else "models {} are incremental and keep"
    names = ", ".join(sorted(keeping))
    return f"{kept.format(names)} rows of earlier builds; from scratch: mesh refresh {product.name} --full-refresh"
