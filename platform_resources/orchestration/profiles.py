"""What Dagster is told of profiles: data that the ledger reads, and a table that people read."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg

from platform_resources.objectives.profiles import profile_data, table, told
from platform_resources.orchestration.ledger_events import PROFILE
from platform_resources.orchestration.results import markdown_table
from platform_resources.orchestration.specs import asset_key
from platform_resources.planning.plan import ProductPlan
from platform_resources.warehouses.profiling import Published


def profiles_by_port(product: ProductPlan, profiled: Iterable[Published]) -> dict[str, Mapping[str, Any]]:
    """Metadata for the first port of each data set: a version of a data set has one profile, through however many ports it is read."""
    found = {each.data_set: each for each in profiled}
    first = {port.data_set: port.name for port in reversed(product.outputs)}
    return {port: _metadata(found[data_set]) for data_set, port in first.items() if data_set in found}


def _metadata(found: Published) -> dict[str, Any]:
    data = {"data_set": found.data_set, "columns": profile_data(found.profile)}
    return {PROFILE: dg.MetadataValue.json(data), "profile_table": _shown(found)}


def profile_observations(product: ProductPlan, profiled: Iterable[Published]) -> Iterator[dg.AssetObservation]:
    """The table on the data set's own asset, where people look for it; no version comes of it."""
    keys = {model.data_set: model.key for model in product.models if model.data_set}
    for found in profiled:
        if found.data_set in keys:
            yield dg.AssetObservation(asset_key(keys[found.data_set]), metadata={"profile_table": _shown(found)})


def _shown(found: Published) -> dg.MarkdownMetadataValue:
    header, rows = table(found.profile, found.before)
    return dg.MetadataValue.md(f"{told(found.profile)}\n\n{markdown_table(header, rows)}")
